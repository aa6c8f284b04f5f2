"""What is sent to a worker, and what comes back."""
