"""Conversion: one source becomes the artifacts of a bundle."""
