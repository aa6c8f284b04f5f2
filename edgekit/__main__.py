"""`python -m edgekit` is the command line too."""

from edgekit.cli import main

main()
