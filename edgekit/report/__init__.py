"""Reports: they read results and print them; nothing is measured or judged here."""
