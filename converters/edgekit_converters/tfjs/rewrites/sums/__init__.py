"""Operators that sum, multiply or compare over axes."""

from __future__ import annotations

from edgekit_converters.tfjs.rewrites.sums import (
    batch_norms,
    cumulations,
    einsum,
    lengths,
    pools,
    products,
    spectra,
    strides,
)

REWRITES = (
    batch_norms.rewrite,
    cumulations.rewrite,
    einsum.rewrite,
    lengths.rewrite,
    pools.rewrite,
    products.rewrite,
    spectra.rewrite,
    strides.rewrite,
)
