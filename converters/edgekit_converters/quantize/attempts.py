"""What is tried on a graph before it is quantized: the same model, in numbers that lose less.

Which of it helps is for the artifact to show, under its own engine.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from edgekit_converters.calibration import Calibration
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.quantize.equalize import equalizing_scales
from edgekit_converters.quantize.folding import fold_affines, fold_behind
from edgekit_converters.quantize.observed import Observed, observe
from edgekit_converters.quantize.rescale import Scalable
from edgekit_converters.quantize.rounding import rounded_kernel

# What each does, as notes say it.
EQUALIZED, ROUNDED = "channels equalized", "weights rounded by second order"


@dataclass(frozen=True)
class Attempt:
    """A graph that computes the same, or nearly so. done: what was done to it."""

    done: tuple[str, ...]
    graph: FrozenGraph


class Attempts:
    """What can be tried on one graph. The calibration samples are looked at once for all of it."""

    def __init__(self, graph: FrozenGraph, calibration: Calibration) -> None:
        folded = Scalable(fold_affines(graph))
        fold_behind(folded)
        self._graph = folded.frozen()
        self._calibration = calibration

    def covers(self, grid: Mapping[str, int]) -> bool:
        """Return whether the graph has a layer whose weights get a grid."""
        return any(node.op in grid for node in self._graph.graph_def.node) and bool(
            self._kernels(Scalable(self._graph), grid)
        )

    def made(self, grid: Mapping[str, int]) -> Iterator[Attempt]:
        """Yield what to try, each once.

        grid: the largest integer of a weight, by operator. What should be the best comes first.
        Raises ConversionError where TensorFlow cannot run the graph.
        """
        graph = Scalable(self._graph)
        channels = graph.channels()
        scales = equalizing_scales(graph, channels, self._observed, min(grid.values()))
        if (scales == 1).all():
            yield self._rounded((), self._graph, self._observed, grid)
            return
        observed = self._observed.rescaled(graph.kernels, channels, scales)
        graph.rescale(channels, scales)
        equalized = graph.frozen()
        yield self._rounded((EQUALIZED,), equalized, observed, grid)
        yield self._rounded((), self._graph, self._observed, grid)
        yield Attempt((EQUALIZED,), equalized)

    @cached_property
    def _observed(self) -> Observed:
        graph = Scalable(self._graph)
        tensors = graph.channels().tensors
        # The names are those of the folded graph, which has to be the one that is run.
        return observe(graph.frozen(), self._calibration, tensors, graph.kernels)

    def _rounded(
        self,
        done: tuple[str, ...],
        frozen: FrozenGraph,
        observed: Observed,
        grid: Mapping[str, int],
    ) -> Attempt:
        graph = Scalable(frozen)
        # Before any layer has another bias: one that had none is read under another name then.
        reads = {name: str(kernel.node.input[0]) for name, kernel in graph.kernels.items()}
        for name in self._kernels(graph, grid):
            kernel = graph.kernels[name]
            if not observed.seen[name].is_usable:
                continue
            noise = observed.noise(reads[name])
            levels = grid[kernel.node.op]
            values, bias = rounded_kernel(kernel, observed.seen[name], levels, noise)
            graph.change(kernel).values = values
            graph.add_bias(kernel, bias)
        return Attempt((*done, ROUNDED), graph.frozen())

    @staticmethod
    def _kernels(graph: Scalable, grid: Mapping[str, int]) -> list[str]:
        return [name for name, kernel in graph.kernels.items() if kernel.node.op in grid]
