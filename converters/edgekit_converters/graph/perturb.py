"""A frozen graph with every number rounded anew, as another computation of it might round."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_runtimes.tensors import Array, Arrays


def perturbed_graph(graph: FrozenGraph, seed: int) -> FrozenGraph:
    """Return the graph with each of its real constants changed in its last binary place."""
    constants = {
        name: value for name, value in graph.constants().items() if value.dtype.kind == "f"
    }
    return graph.with_constants(perturbed(constants, seed))


def perturbed(arrays: Mapping[str, Array], seed: int) -> Arrays:
    """Return arrays whose real numbers are changed at random, by up to one last binary place."""
    generator = np.random.default_rng(seed)
    return {name: _perturbed(array, generator) for name, array in arrays.items()}


def _perturbed(array: Array, generator: np.random.Generator) -> Array:
    if array.dtype.kind != "f":
        return array
    limits = np.finfo(array.dtype)
    factors = 1 + float(limits.eps) * generator.uniform(-1, 1, array.shape)
    changed = array.astype(np.float64) * factors
    # The largest number of the type stands for infinity in masks: it must not become it.
    fine = np.where(np.isfinite(array), np.clip(changed, limits.min, limits.max), array)
    return np.asarray(fine, array.dtype)
