"""Figures: what can be said of a row in one number, each registered once.

`registry` holds them all. Tables, CSV, gates, comparisons, the help and docs/results.md are made
from it: one more figure is one more entry in one of these modules.
"""
