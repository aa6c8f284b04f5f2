"""Reasons: why an artifact is not faster than fp32, from facts."""
