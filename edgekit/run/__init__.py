"""Run one artifact on given samples."""
