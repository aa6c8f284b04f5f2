"""One trained model becomes small models for the edge and the browser, measured against itself."""

__version__ = "0.1.0"
