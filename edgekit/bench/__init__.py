"""Measuring: jobs go to devices, and what comes back becomes results."""
