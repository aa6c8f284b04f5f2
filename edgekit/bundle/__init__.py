"""The bundle on disk: its manifest, its artifacts and the golden samples."""
