"""Cross-layer equalization: each channel between two layers gets the scale that costs least.

In 8 bits the channels of a tensor share one scale, and so do the weights that one output of a layer
is computed with. A channel whose values are small is lost beside one whose values are large, unless
its scale is moved into the weights behind it: so far that both suffer alike.

Nagel et al., Data-Free Quantization (ICCV 2019), section 4.1, with ranges of activations seen on
samples in place of those of the first layer's weights, which have a scale for each channel; how far
to go is decided by the noise that it leaves, which can be foretold.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from edgekit_converters.quantize.channels import FIXED, Channels
from edgekit_converters.quantize.noise import Noise
from edgekit_converters.quantize.observed import Observed
from edgekit_converters.quantize.rescale import Scalable
from edgekit_runtimes.tensors import Array

# How much of the spread of activations is taken out of them, and how much of the spread of the
# weights behind them is taken out of those. (0.5, 0.5) lets both have the same; weights of a
# depthwise layer have a scale for each channel, and can take all. What is foretold to be the best
# is done, which may be nothing.
SHARES = (
    (0.0, 0.0),
    (0.25, 0.25),
    (0.5, 0.5),
    (0.75, 0.25),
    (0.25, 0.0),
    (0.5, 0.0),
    (0.75, 0.0),
    (1.0, 0.0),
)
# What is foretold is not exact: less than this share of the noise is no reason to touch anything.
LEAST_GAIN = 0.05
# No channel is scaled by more than this or less than its inverse, beside the others of its tensor:
# XNNPACK loads no layer of which one output is more than 256 steps for one product
# (XNN_MAX_REQUANTIZATION_SCALE), and precision ends long before.
LARGEST_RATIO = 32.0
# A channel that never had more than this share of its tensor is as good as dead.
SMALLEST_SHARE = 1e-4


def equalizing_scales(
    graph: Scalable, channels: Channels, observed: Observed, levels: int
) -> Array:
    """Return the scale of each number by which the channels are to be divided.

    observed: of all tensors of `channels`, and of all layers. levels: the largest integer of a
    weight.
    """
    active, heavy = _spreads(graph, channels, observed)
    noise = Noise(graph, channels, observed, levels)
    logs = np.zeros(channels.count)
    for members in _sets(channels):
        parts = noise.parts(members)
        found = {}
        for share in SHARES:
            tried = share[0] * active[members] - share[1] * heavy[members]
            logs[members] = _bounded(tried)
            found[share] = sum(part(np.exp(logs)) for part in parts)
        best = min(found, key=lambda share: found[share])
        if found[best] > (1 - LEAST_GAIN) * found[SHARES[0]]:
            best = SHARES[0]
        logs[members] = _bounded(best[0] * active[members] - best[1] * heavy[members])
    return np.asarray(np.exp(logs))


def _bounded(logs: Array) -> Array:
    """Return logarithms of scales with a mean of 0 and none beyond the largest ratio."""
    limit = np.log(LARGEST_RATIO)
    return np.asarray(np.clip(logs - logs.mean(), -limit, limit))


def _spreads(graph: Scalable, channels: Channels, observed: Observed) -> tuple[Array, Array]:
    """Return by number how large activations are beside those of others, and weights: logs."""
    active, heavy = _Means(channels.count), _Means(channels.count)
    for tensor in channels.tensors:
        if tensor in observed.lows and not graph.is_inner(tensor):
            active.add(channels.of(tensor), _shares(observed.largest(tensor)))
    for kernel in graph.kernels.values():
        if not kernel.is_depthwise:
            heavy.add(channels.of(kernel.node.input[0]), _shares(kernel.input_sizes()))
    return active.means(), heavy.means()


class _Means:
    """Means by number of what several tensors say of it."""

    def __init__(self, count: int) -> None:
        self._sums, self._counts = np.zeros(count), np.zeros(count, int)

    def add(self, numbers: Array, values: Array) -> None:
        np.add.at(self._sums, numbers, values)
        np.add.at(self._counts, numbers, 1)

    def means(self) -> Array:
        return np.asarray(self._sums / np.maximum(self._counts, 1))


def _shares(values: Array) -> Array:
    largest = values.max(initial=0.0)
    if largest <= 0:
        return np.zeros(len(values))
    return np.asarray(np.log(np.maximum(values / largest, SMALLEST_SHARE)))


def _sets(channels: Channels) -> Iterator[Array]:
    """Yield the numbers that are in one tensor, directly or by others, set by set."""
    parents = list(range(channels.count))

    def root(number: int) -> int:
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    used: set[int] = set()
    for tensor in channels.tensors:
        free = sorted({*channels.of(tensor).tolist()} - {FIXED})
        used.update(free)
        for number in free[1:]:
            first, second = root(free[0]), root(number)
            parents[max(first, second)] = min(first, second)
    found = defaultdict(list)
    for number in sorted(used):
        found[root(number)].append(number)
    yield from (np.array(members) for members in found.values())
