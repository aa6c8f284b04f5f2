"""Kernels whose channels are of one size, for a format that stores each with one scale.

What a channel is scaled by between two layers is free: here it is what makes the weights behind it
as large as those before it. Nothing has to be seen for that. Nagel et al., Data-Free Quantization
(ICCV 2019), section 4.1.
"""

from __future__ import annotations

import numpy as np

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.quantize.channels import FIXED, Channels
from edgekit_converters.quantize.folding import fold_behind
from edgekit_converters.quantize.kernels import Kernel
from edgekit_converters.quantize.rescale import Scalable
from edgekit_runtimes.tensors import Array

# A kernel between two others is changed from both sides: after ten turns nothing moves.
TURNS = 10
# Weights under this share of the largest of their kernel count as if they had it: dead channels
# need no bits.
SMALLEST_SHARE = 1e-3
# What it does to answers is only foretold: the noise of all kernels, as a product, must become so
# much smaller.
LARGEST_SHARE = 0.5


def level(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with leveled kernels; the very same where there is little to level."""
    graph = Scalable(frozen)
    fold_behind(graph)
    channels = graph.channels()
    kernels = [
        kernel
        for kernel in graph.kernels.values()
        if (channels.of(str(kernel.node.input[0])) != FIXED).any()
        or (channels.of(kernel.node.name) != FIXED).any()
    ]
    logs = np.zeros(channels.count)
    for _ in range(TURNS):
        logs = _turn(channels, kernels, logs)
    before = sum(map(_noise, kernels))
    graph.rescale(channels, np.exp(logs))
    is_better = sum(map(_noise, kernels)) < before + np.log(LARGEST_SHARE)
    return graph.frozen() if is_better else frozen


def _noise(kernel: Kernel) -> float:
    """Return what one scale costs: the logarithm of the largest square over the mean square."""
    squares = kernel.values**2
    mean = float(squares.mean())
    return float(np.log(squares.max() / mean)) if mean else 0.0


def _turn(channels: Channels, kernels: list[Kernel], logs: Array) -> Array:
    """Return logarithms of scales that are half way from these to what would be level."""
    wanted, counts = np.zeros(channels.count), np.zeros(channels.count, int)
    for kernel in kernels:
        before, after = channels.of(str(kernel.node.input[0])), channels.of(kernel.node.name)
        inputs, outputs = _sizes(kernel, np.exp(logs[before]), np.exp(logs[after]))
        for numbers, shares in ((before, -inputs), (after, outputs)):
            np.add.at(wanted, numbers, shares)
            np.add.at(counts, numbers, 1)
    found = logs + wanted / np.maximum(counts, 1)
    found[FIXED] = 0
    return np.asarray((logs + found) / 2)


def _sizes(kernel: Kernel, before: Array, after: Array) -> tuple[Array, Array]:
    """Return how large what each input and output channel meets is beside the largest: logs."""
    if kernel.is_depthwise:
        multiplied = np.abs(kernel.values).max(axis=(0, 1)) * before[:, None]
        sizes = multiplied / after.reshape(multiplied.shape)
        return _shares(sizes.max(axis=1)), _shares(sizes.reshape(-1))
    sizes = kernel.largest_weights() * kernel.spread(before) / after
    by_input = sizes.reshape(sizes.shape[0], kernel.groups, -1).max(axis=-1).T.reshape(-1)
    return _shares(by_input), _shares(sizes.max(axis=0))


def _shares(sizes: Array) -> Array:
    largest = sizes.max(initial=0.0)
    if largest <= 0:
        return np.zeros(len(sizes))
    return np.asarray(np.log(np.maximum(sizes / largest, SMALLEST_SHARE)))
