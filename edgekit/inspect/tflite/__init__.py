"""Reading TFLite files."""
