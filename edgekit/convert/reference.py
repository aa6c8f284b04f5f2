"""A frozen graph as what its artifacts are compared with."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from edgekit.bundle.golden import GoldenSamples
from edgekit.convert.answers import graph_answers, ready_samples
from edgekit.convert.closeness import closeness
from edgekit_runtimes.tensors import Arrays

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph

# So many times the numbers of a graph are rounded anew; the one that changes most counts.
ROUNDINGS = 3


class Reference:
    """What a graph answers to golden samples in TensorFlow, computed once and when it is needed."""

    def __init__(self, graph: FrozenGraph, golden: GoldenSamples) -> None:
        self.graph = graph
        self._golden = golden

    @functools.cached_property
    def answers(self) -> Arrays:
        """Its outputs, samples along the first axis."""
        return graph_answers(self.graph, ready_samples(self._golden))

    @functools.cached_property
    def rounding_levels(self) -> Mapping[str, float]:
        """How close each output stays, in dB, when all numbers of the graph are rounded anew.

        Its inputs and its constants are changed in their last binary places, which is what another
        order of computing does to the results of each layer.
        """
        from edgekit_converters.graph.perturb import perturbed, perturbed_graph

        levels = dict.fromkeys(self.answers, math.inf)
        for seed in range(ROUNDINGS):
            samples = (perturbed(sample, seed) for sample in ready_samples(self._golden))
            moved = graph_answers(perturbed_graph(self.graph, seed), samples)
            for name, array in self.answers.items():
                levels[name] = min(levels[name], closeness(array, moved[name]))
        return levels
