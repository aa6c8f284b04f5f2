"""The evaluator that converts, runs and measures."""
