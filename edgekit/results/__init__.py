"""What a bench leaves behind: rows, and the figures that are worked out from raw samples."""
