"""What the calibration samples show of a graph: ranges of channels, and what its layers read."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.calibration import Calibration
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.quantize.channels import Channels
from edgekit_converters.quantize.kernels import Kernel
from edgekit_converters.quantize.patches import patches
from edgekit_runtimes.errors import ConversionError, map_exceptions
from edgekit_runtimes.tensors import Array, Arrays

# Samples that are looked at: the ranges of channels hardly move after them, and each is a run.
MOST_SAMPLES = 64
# A layer's inputs are a square matrix of its kernel's rows: 2,304 (3 x 3 x 256) is 21 MB, and its
# inverse takes a second.
MOST_ROWS = 2304
# Rows of patches for each layer: so many for each unknown are enough for the sums of products.
ROWS = 2048
# Products are added up for so many at once: for each alone, that reads the whole sum again.
AT_ONCE = 512
SEED = 0
ACTIVATION_STEPS = 255


@dataclass(frozen=True)
class Seen:
    """What a layer reads: sums over patches.

    count: of patches. total: their sum, [groups, rows]. products: [groups, rows, rows], the sum of
    each patch times itself; None where it would be too large.
    """

    count: int
    total: Array
    products: Array | None

    @property
    def is_usable(self) -> bool:
        """Whether there were numbers, and nothing but numbers."""
        return self.count > 0 and bool(np.isfinite(self.total).all())


@dataclass
class Observed:
    """What all samples show.

    lows, highs, squares: of each channel of each watched tensor, by its name: the smallest and the
    largest value, and the sum of the samples' mean squares. samples: how many there were.
    seen: by layer.
    """

    lows: dict[str, Array] = field(default_factory=dict)
    highs: dict[str, Array] = field(default_factory=dict)
    squares: dict[str, Array] = field(default_factory=dict)
    samples: int = 0
    seen: dict[str, Seen] = field(default_factory=dict)

    def largest(self, tensor: str) -> Array:
        """Return the largest magnitude of each channel."""
        return np.maximum(np.abs(self.lows[tensor]), np.abs(self.highs[tensor]))

    def rescaled(
        self, kernels: Mapping[str, Kernel], channels: Channels, scales: Array
    ) -> Observed:
        """Return what would have been seen if the channels had been divided by `scales`."""
        lows = {name: low / scales[channels.of(name)] for name, low in self.lows.items()}
        highs = {name: high / scales[channels.of(name)] for name, high in self.highs.items()}
        squares = {name: x / scales[channels.of(name)] ** 2 for name, x in self.squares.items()}
        seen = {}
        for name, one in self.seen.items():
            by_row = row_scales(kernels[name], scales[channels.of(kernels[name].node.input[0])])
            products = one.products
            if products is not None:
                products = products / by_row[:, :, None] / by_row[:, None, :]
            seen[name] = Seen(one.count, one.total / by_row, products)
        return Observed(lows, highs, squares, self.samples, seen)

    def power(self, tensor: str) -> Array:
        """Return the mean square of each channel."""
        return self.squares[tensor] / self.samples

    def noise(self, tensor: str) -> float:
        """Return the power of what rounding a tensor to 8 bits adds to it."""
        low, high = min(0.0, self.lows[tensor].min()), max(0.0, self.highs[tensor].max())
        return float(((high - low) / ACTIVATION_STEPS) ** 2 / 12)


def row_scales(kernel: Kernel, by_input: Array) -> Array:
    """Return a value for each input channel as one for each row: [groups, rows]."""
    groups = kernel.inputs if kernel.is_depthwise else kernel.groups
    return np.asarray(np.tile(by_input.reshape(groups, -1), (1, kernel.places)))


def observe(
    frozen: FrozenGraph,
    calibration: Calibration,
    tensors: Iterable[str],
    kernels: Mapping[str, Kernel],
    rows: int = ROWS,
) -> Observed:
    """Run the samples and return what they show.

    tensors: whose channels are watched. kernels: the layers whose inputs are summed up.
    rows: how many patches of each layer, over all samples. Raises ConversionError where TensorFlow
    cannot run the graph.
    """
    observed, sums = Observed(), _Sums()
    generator = np.random.default_rng(SEED)
    inputs = {name: str(kernel.node.input[0]) for name, kernel in kernels.items()}
    watched = sorted({*tensors, *inputs.values()})
    each = max(1, -(-rows // min(MOST_SAMPLES, calibration.count or MOST_SAMPLES)))
    with map_exceptions("TensorFlow cannot run the frozen graph", ConversionError):
        for values in _runs(frozen, calibration, watched):
            observed.samples += 1
            for name, value in values.items():
                _widen(observed, name, value)
            for name, tensor in inputs.items():
                found = patches(kernels[name], values[tensor], each, generator)
                sums.add(name, found)
    observed.seen = sums.finish()
    return observed


def _runs(
    frozen: FrozenGraph, calibration: Calibration, tensors: list[str]
) -> Iterator[dict[str, Array]]:
    with tf.Graph().as_default() as graph:
        tf.graph_util.import_graph_def(frozen.graph_def, name="")
        fetched = {name: name if ":" in name else f"{name}:0" for name in tensors}
        with tf.compat.v1.Session(graph=graph) as session:
            for sample in itertools.islice(calibration, MOST_SAMPLES):
                yield session.run(fetched, _feeds(frozen, sample))


def _feeds(frozen: FrozenGraph, sample: Arrays) -> dict[str, Any]:
    return {entry.tensor: sample[entry.spec.name] for entry in frozen.inputs}


def _widen(observed: Observed, name: str, value: Array) -> None:
    flat = value.reshape(-1, value.shape[-1])
    if not len(flat):
        return
    low, high = flat.min(axis=0), flat.max(axis=0)
    square = np.einsum("nc,nc->c", flat, flat, dtype=np.float64) / len(flat)
    observed.squares[name] = observed.squares.get(name, 0.0) + square
    if name in observed.lows:
        low, high = np.minimum(observed.lows[name], low), np.maximum(observed.highs[name], high)
    observed.lows[name], observed.highs[name] = low, high


class _Sums:
    """What layers have seen, a few patches of each being kept until they are worth adding up."""

    def __init__(self) -> None:
        self.seen: dict[str, Seen] = {}
        self._kept: dict[str, list[Array]] = {}

    def add(self, name: str, found: Array) -> None:
        """Add patches [groups, count, rows] to what a layer has seen."""
        kept = self._kept.setdefault(name, [])
        kept.append(found)
        if sum(one.shape[1] for one in kept) >= AT_ONCE:
            self._flush(name)

    def finish(self) -> dict[str, Seen]:
        """Return what all layers have seen."""
        for name in list(self._kept):
            self._flush(name)
        return self.seen

    def _flush(self, name: str) -> None:
        if not (kept := self._kept.pop(name)):
            return
        found = np.concatenate(kept, axis=1)
        total = found.sum(axis=1, dtype=np.float64)
        products = None
        if found.shape[-1] <= MOST_ROWS:
            products = np.matmul(found.transpose(0, 2, 1), found)
        known = self.seen.setdefault(name, Seen(0, np.zeros_like(total), None))
        if products is not None:
            products = products if known.products is None else known.products + products
        self.seen[name] = Seen(known.count + found.shape[1], known.total + total, products)
