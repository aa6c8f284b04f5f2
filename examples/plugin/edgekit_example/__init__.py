"""What this distribution adds to edgekit: one module each."""
