"""A device over SSH: a connection, the Python there, and files that are kept there."""
