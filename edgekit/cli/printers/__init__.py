"""What only one command prints."""
