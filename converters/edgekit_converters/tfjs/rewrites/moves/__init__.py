"""Operators that move numbers about, or choose some."""

from __future__ import annotations

from edgekit_converters.tfjs.rewrites.moves import (
    bands,
    gathers,
    resizes,
    shape_lists,
    slices,
    suppressions,
)

REWRITES = (
    bands.rewrite,
    gathers.rewrite,
    resizes.rewrite,
    shape_lists.rewrite,
    slices.rewrite,
    suppressions.rewrite,
)
