"""What this distribution adds to edgekit: a module per engine and per device."""
