"""What one run owns, and what becomes of it: nothing outlives the run, however that ends."""
