"""Batch norms and other scales and offsets per channel become part of the layers around them.

Behind a layer they become part of it. Behind an activation the scale goes back through it to the
layer before, where it costs nothing: weights have a scale for each output channel in every format.
The offset goes on to the layer behind, unless zeros are padded there: they are not the offset.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edgekit_converters.graph.affine import AFFINE_OPS
from edgekit_converters.graph.edit import node_of
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.quantize.channels import FIXED, Channels, flat_size
from edgekit_converters.quantize.kernels import Kernel
from edgekit_converters.quantize.rescale import Scalable
from edgekit_runtimes.errors import ConversionError
from edgekit_runtimes.tensors import Array

# A scale that goes into the *inputs* of a layer makes its weights as unlike as it is itself, and
# they share one scale in 8 bits: up to this ratio that costs less than a bit.
LARGEST_SPREAD = 2.0
# What goes into a layer as an offset has to be subtracted again by its weights where it is large:
# a sensor's 101,325 Pa with a deviation of 100 is 1,013 times as large as what counts. Up to 4,
# what is added costs hardly one binary place; norms of images have 2.1.
LARGEST_OFFSET = 4.0
# A channel that is scaled by less is dead, and cannot be scaled back.
SMALLEST_SCALE = 1e-6

_RESHAPING_OPS = frozenset({"ExpandDims", "Reshape", "Squeeze"})
# What an offset passes through as it is: in TensorFlow, the mean of a pool knows no padding.
_PASSING_OPS = frozenset({"MaxPool", "AvgPool", "Mean", "Max", "Min"}) | _RESHAPING_OPS


def fold_affines(frozen: FrozenGraph) -> FrozenGraph:
    """Return the graph with its scales and offsets in its layers.

    The very same where none fits, or where they only follow a layer: every format folds those; and
    where TensorFlow cannot compute the graph's constants, which is for the formats to say.
    """
    if not any(node.op in AFFINE_OPS for node in frozen.graph_def.node):
        return frozen
    try:
        graph = Scalable(frozen)
    except ConversionError:
        return frozen
    fold_behind(graph)
    changed = [_fold_offsets(graph), _fold_scales(graph)]
    return graph.frozen() if any(changed) else frozen


def fold_behind(graph: Scalable) -> None:
    """Fold what follows a layer into it."""
    for kernel in list(graph.kernels.values()):
        _fold_tail(graph, kernel)


def _fold_tail(graph: Scalable, kernel: Kernel) -> None:
    scale, offset = np.ones(kernel.outputs), np.zeros(kernel.outputs)
    found = list(_tail(graph, kernel))
    is_bias = [(affine.scale == 1).all() for _, affine in found]
    if len(found) < 2 and all(is_bias):
        return
    for node, affine in found:
        scale, offset = scale * affine.scale, offset * affine.scale + affine.offset
        graph.graph.bypass(node, graph.source(node))
    if (scale != 1).any():
        graph.change(kernel).scale_outputs(scale)
    graph.add_bias(kernel, offset)


def _tail(graph: Scalable, kernel: Kernel) -> Iterator[tuple[Any, Any]]:
    """Yield the affine nodes that follow a layer, changes of shape left aside."""
    tensor = str(kernel.node.name)
    while (user := graph.graph.only_user(tensor)) is not None:
        if user.op in _RESHAPING_OPS:
            shape = graph.shapes.get(user.name)
            if user.input[0] != tensor or not shape or shape[-1] != kernel.outputs:
                return
        else:
            affine = graph.affine(user)
            if affine is None or affine.source != tensor or len(affine.scale) != kernel.outputs:
                return
            yield user, affine
        tensor = user.name


def _fold_scales(graph: Scalable) -> bool:
    """Take the scales out of the affine nodes that stand elsewhere."""
    channels = graph.channels()
    scaling = _Scaling(graph, channels)
    for node in graph.graph:
        affine = graph.affine(node)
        if affine is not None and (affine.scale != 1).any():
            scaling.take(affine.source, node.name, affine.scale)
    if (scaling.scales == 1).all():
        return False
    graph.rescale(channels, scaling.scales)
    return True


class _Scaling:
    """The scales of channels, found one node after the other.

    scales: by number.
    """

    def __init__(self, graph: Scalable, channels: Channels) -> None:
        self._channels = channels
        self.scales = np.ones(channels.count)
        self._is_done = np.zeros(channels.count, bool)
        self._is_done[FIXED] = True
        self._is_read = np.zeros(channels.count, bool)
        for kernel in graph.kernels.values():
            if not kernel.is_depthwise:
                self._is_read[channels.of(kernel.node.input[0])] = True

    def take(self, source: str, target: str, scale: Array) -> None:
        """Scale `source`, or else `target`, so that nothing is left of a node's scale."""
        before, after = self._channels.of(source), self._channels.of(target)
        left = scale * self.scales[before] / self.scales[after]
        if np.abs(left).min() < SMALLEST_SCALE:
            return
        size, sign = np.abs(left), np.sign(left)
        if not self._is_read[before].any():
            if self._try(before, after, scale, 1 / left, 1):
                return
            if self._try(before, after, scale, 1 / size, sign):
                return
        if size.max() <= LARGEST_SPREAD * size.min():
            self._try(before, after, scale, 1, left)

    def _try(self, before: Array, after: Array, scale: Array, first: Any, second: Any) -> bool:
        scales, done = self.scales.copy(), self._is_done.copy()
        for numbers, factors in ((before, np.asarray(first)), (after, np.asarray(second))):
            factors = np.broadcast_to(factors, numbers.shape)
            if (factors == 1).all():
                continue
            keeps = self._channels.keeps(numbers)
            if done[numbers].any() or (keeps & (factors < 0)).any():
                return False
            scales[numbers] = self.scales[numbers] * factors
            done[numbers] = True
        if not np.allclose(scale * scales[before] / scales[after], 1, rtol=1e-9):
            return False
        self.scales, self._is_done = scales, done
        self._is_done[np.concatenate([before, after])] = True
        return True


@dataclass(frozen=True)
class _Taken:
    """What takes up an offset: a layer, or another offset. amount: what it gets of it."""

    name: str
    amount: Array


def _fold_offsets(graph: Scalable) -> bool:
    """Move the offsets that stand before layers into them."""
    changed = False
    for node in graph.graph:
        affine = graph.affine(node)
        if affine is None or not affine.offset.any():
            continue
        if _is_bias(graph, affine.source):
            continue
        taken = _takers(graph, node.name, affine.offset)
        if taken is None:
            continue
        graph.put(node, affine.source, affine.scale, np.zeros_like(affine.offset))
        for one in taken:
            _give(graph, one)
        changed = True
    return changed


def _is_bias(graph: Scalable, tensor: str) -> bool:
    """Return whether what is added to `tensor` is added to what a layer gives."""
    while graph.graph.node(tensor).op in _RESHAPING_OPS:
        tensor = graph.graph.node(tensor).input[0]
    return node_of(tensor) in graph.kernels


def _give(graph: Scalable, taken: _Taken) -> None:
    if (kernel := graph.kernels.get(taken.name)) is not None:
        graph.add_bias(kernel, kernel.answer_to(taken.amount))
        return
    node = graph.graph.node(taken.name)
    affine = graph.affine(node)
    assert affine is not None
    graph.put(node, graph.source(node), affine.scale, affine.offset + affine.scale * taken.amount)


def _takers(graph: Scalable, tensor: str, offset: Array) -> list[_Taken] | None:
    """Return what takes up an offset of `tensor`; None where something needs it as it is."""
    users = graph.graph.users(tensor)
    if graph.graph.is_output(tensor) or not users:
        return None
    taken: list[_Taken] = []
    for user in users:
        found = _taken_by(graph, user, tensor, offset)
        if found is None:
            return None
        taken += found
    return taken


def _taken_by(graph: Scalable, user: Any, tensor: str, offset: Array) -> list[_Taken] | None:
    kernel = graph.kernels.get(user.name)
    if kernel is not None:
        fits = not kernel.has_padding and np.abs(offset).max() <= LARGEST_OFFSET
        return [_Taken(user.name, offset)] if fits else None
    if (affine := graph.affine(user)) is not None:
        # (x - 101325) / 100 loses nothing; x / 100 - 1013.25 loses three of seven digits.
        fits = np.abs(affine.scale * offset).max() <= LARGEST_OFFSET
        return [_Taken(user.name, offset)] if fits else None
    if user.op in _PASSING_OPS:
        passed = _passed(graph, user, offset)
        return None if passed is None else _takers(graph, user.name, passed)
    if user.op == "ConcatV2":
        return _through_concat(graph, user, tensor, offset)
    return None


def _passed(graph: Scalable, node: Any, offset: Array) -> Array | None:
    """Return an offset behind a pool or a change of shape, by the channels that are there."""
    before, after = (graph.shapes.get(name) for name in (node.input[0], node.name))
    if not before or not after or after[-1] is None:
        return None
    if node.op in ("MaxPool", "AvgPool"):
        is_last = node.attr["data_format"].s in (b"", b"NHWC")
        return offset if is_last and node.attr["ksize"].list.i[-1] == 1 else None
    if node.op in _RESHAPING_OPS:
        if after[-1] == before[-1]:
            return offset
        fits = len(after) == 2 and flat_size(before) == after[-1]
        return np.tile(offset, after[-1] // len(offset)) if fits else None
    axes = graph.graph.constant(node.input[1])
    if axes is None or (len(before) - 1) in np.atleast_1d(axes) % len(before):
        return None
    return offset


def _through_concat(graph: Scalable, node: Any, tensor: str, offset: Array) -> list[_Taken] | None:
    axis = graph.graph.constant(node.input[-1])
    shape = graph.shapes.get(node.name)
    if axis is None or not shape or int(axis) % len(shape) != len(shape) - 1:
        return None
    parts = []
    for name in node.input[:-1]:
        size = (graph.shapes.get(name) or (None,))[-1]
        if size is None:
            return None
        parts.append(offset if name == tensor else np.zeros(size))
    if list(node.input).count(tensor) != 1:
        return None
    return _takers(graph, node.name, np.concatenate(parts))
