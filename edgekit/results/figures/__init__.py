"""Figures: what one number says about a row, each registered once.

`registry` holds them all. Tables, CSV, gates, comparisons, the help and docs/results.md are made
from it: one more figure is one more entry in one of these modules, or a module of its own, which
is found without being named anywhere else.
"""
