"""What a bench leaves behind: rows, and the figures that are worked out from raw samples."""

# The id and the recipe of the original's row.
ORIGINAL = "original"
# The recipe that the other artifacts of a format are compared with.
REFERENCE_RECIPE = "fp32"
