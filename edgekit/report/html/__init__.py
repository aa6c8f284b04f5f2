"""The report as one HTML file.

Text and pictures are written here, so that it can be read without scripts; `report.js` only sorts,
and marks the same artifact in every picture.
"""
