"""The demo: a bundle becomes a static site in which visitors try its artifacts themselves."""
