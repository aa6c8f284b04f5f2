"""The frozen graph, and what changes it before a format sees it."""
