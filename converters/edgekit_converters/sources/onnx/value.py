"""Tensors of an ONNX graph as TensorFlow holds them: the only place that knows layout.

A value has the axes of the ONNX graph, and lies in memory in an order of its own: physical axis k
holds ONNX axis `order[k]`. An image that a convolution made lies channels last, and most operators
only say where their axes lie. What asks for another order gets a transposition, once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_runtimes.tensors import Array

Order = tuple[int, ...]


@dataclass(frozen=True)
class Free:
    """A size that depends on the batch.

    low, high: its values where the batch is LOW and where it is HIGH.
    """

    low: int
    high: int


LOW, HIGH = 2, 3

Size = int | Free
Sizes = tuple[Size, ...]


def natural(rank: int) -> Order:
    """Return the order of the ONNX graph itself."""
    return tuple(range(rank))


def channels_last(rank: int) -> Order:
    """Return the order in which TensorFlow's convolutions want a tensor of this rank."""
    return natural(rank) if rank < 2 else (0, *range(2, rank), 1)


def inverse(order: Sequence[int]) -> Order:
    """Return where each ONNX axis lies."""
    return tuple(int(place) for place in np.argsort(order))


def at(sizes: Sequence[Size], is_low: bool) -> tuple[int, ...]:
    """Return sizes for one of the two batches."""
    return tuple(
        size if isinstance(size, int) else size.low if is_low else size.high for size in sizes
    )


def count(sizes: Sequence[Size]) -> tuple[int, int]:
    """Return the number of elements for both batches."""
    return math.prod(at(sizes, True)), math.prod(at(sizes, False))


class Batch:
    """The batch while a graph is built.

    tensor: called for it, a scalar of int32, where something depends on it.
    """

    def __init__(self, tensor: Callable[[], Any]) -> None:
        self._tensor = tensor

    def shape(self, sizes: Sequence[Size]) -> Any:
        """Return sizes as what TensorFlow takes as a shape."""
        free = [size for size in sizes if isinstance(size, Free)]
        if not free:
            return np.array(sizes, np.int32)
        return tf.stack([self.size(size) for size in sizes])

    def size(self, size: Size) -> Any:
        """Return one size: an affine function of the batch where it depends on it."""
        if isinstance(size, int):
            return np.int32(size)
        slope = (size.high - size.low) // (HIGH - LOW)
        offset = size.low - slope * LOW
        found = self._tensor()
        if slope != 1:
            found = found * np.int32(slope)
        return found + np.int32(offset) if offset else found

    def reshaped(self, tensor: Any, sizes: Sequence[Size]) -> Any:
        """Return a tensor with other sizes."""
        free = [size for size in sizes if isinstance(size, Free)]
        if len(free) == 1 and 0 not in sizes:
            wanted: Any = np.array([s if isinstance(s, int) else -1 for s in sizes], np.int32)
        else:
            wanted = self.shape(sizes)
        found = tf.reshape(tensor, wanted)
        found.set_shape([size if isinstance(size, int) else None for size in sizes])
        return found


class Value:
    """A tensor of the ONNX graph.

    sizes: of its ONNX axes. array: its value in ONNX order where it is constant.
    origin: what it is a transposition of, and by which permutation, where it was just transposed.
    is_zero: whether it is known to be zero everywhere, though its size depends on the batch.
    """

    def __init__(
        self,
        batch: Batch,
        sizes: Sequence[Size],
        tensor: Any | None = None,
        order: Sequence[int] | None = None,
        array: Array | None = None,
        origin: tuple[Value, Order] | None = None,
        is_zero: bool = False,
    ) -> None:
        self.batch = batch
        self.sizes: Sizes = tuple(sizes)
        self.order: Order = natural(len(self.sizes)) if order is None else tuple(order)
        self.array = array
        self.origin = origin
        self.is_zero = is_zero
        self._made: dict[Order, Any] = {} if tensor is None else {self.order: tensor}

    @classmethod
    def constant(cls, batch: Batch, array: Array) -> Value:
        """Return the value of a constant."""
        return cls(batch, array.shape, array=array)

    @property
    def rank(self) -> int:
        """How many axes it has."""
        return len(self.sizes)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Its dtype."""
        if self.array is not None:
            return self.array.dtype
        found: np.dtype[Any] = np.dtype(self.own.dtype.as_numpy_dtype)
        return found

    @property
    def own(self) -> Any:
        """The tensor in its own order."""
        return self.tensor(self.order)

    @property
    def plain(self) -> Any:
        """The tensor in ONNX order."""
        return self.tensor(natural(self.rank))

    def physical(self, order: Sequence[int]) -> Sizes:
        """Return its sizes as they lie in an order."""
        return tuple(self.sizes[axis] for axis in order)

    def place(self, axis: int) -> int:
        """Return where an ONNX axis, which may be negative, lies in its own order."""
        return self.order.index(axis % self.rank)

    def is_moved_freely(self, order: Sequence[int]) -> bool:
        """Return whether only axes of size 1 move on the way from its order to another."""
        ours, theirs = (
            [axis for axis in axes if self.sizes[axis] != 1] for axes in (self.order, order)
        )
        return ours == theirs

    def tensor(self, order: Sequence[int]) -> Any:
        """Return the tensor in an order."""
        order = tuple(order)
        if order not in self._made:
            self._made[order] = self._in_order(order)
        return self._made[order]

    def _in_order(self, order: Order) -> Any:
        if self.array is not None:
            return tf.constant(np.asarray(self.array.transpose(order), order="C"))
        if self.is_moved_freely(order):
            return self.batch.reshaped(self.own, self.physical(order))
        return tf.transpose(self.own, [self.order.index(axis) for axis in order])

    def lying(self, order: Sequence[int]) -> Value:
        """Return the same value, lying in an order."""
        if tuple(order) == self.order or self.array is not None:
            return self
        return Value(self.batch, self.sizes, self.tensor(order), order)

    def padded(self, rank: int) -> Value:
        """Return it with axes of size 1 in front, up to a rank."""
        more = rank - self.rank
        if more <= 0:
            return self
        sizes = (*(1,) * more, *self.sizes)
        if self.array is not None:
            return Value.constant(self.batch, self.array.reshape(at(sizes, True)))
        order = (*range(more), *(axis + more for axis in self.order))
        tensor = self.batch.reshaped(self.own, tuple(sizes[axis] for axis in order))
        return Value(self.batch, sizes, tensor, order)

    def relabelled(self, permutation: Sequence[int]) -> Value:
        """Return its transposition without moving anything: axis j is what permutation[j] was."""
        sizes = [self.sizes[axis] for axis in permutation]
        if self.array is not None:
            return Value.constant(self.batch, self.array.transpose(permutation))
        back = inverse(permutation)
        return Value(self.batch, sizes, self.own, [back[axis] for axis in self.order])

    def reshaped(self, sizes: Sequence[Size]) -> Value:
        """Return it with other sizes.

        Axes that are only split, or that lie together and are merged, stay where they lie.
        """
        sizes = tuple(sizes)
        if self.array is not None and not any(isinstance(size, Free) for size in sizes):
            return Value.constant(self.batch, self.array.reshape(at(sizes, True)))
        if 0 in self.sizes:
            return Value(self.batch, sizes, self.batch.reshaped(self.plain, sizes))
        groups = _groups(self.sizes, sizes)
        lying = [axis for axis in self.order if self.sizes[axis] != 1]
        first = {group: min(map(lying.index, group[0])) for group in groups}
        in_order = sorted(groups, key=lambda group: first[group])
        before = [axis for group in in_order for axis in group[0]]
        after = [axis for group in in_order for axis in group[1]]
        source = self if before == lying else self.lying(_with_ones(before, self.sizes))
        order = _with_ones(after, sizes)
        tensor = self.batch.reshaped(source.own, tuple(sizes[axis] for axis in order))
        return Value(self.batch, sizes, tensor, order)


Group = tuple[tuple[int, ...], tuple[int, ...]]


def _groups(before: Sizes, after: Sizes) -> list[Group]:
    """Return which axes of a shape become which of another, in the smallest groups."""
    left = [axis for axis, size in enumerate(before) if size != 1]
    right = [axis for axis, size in enumerate(after) if size != 1]
    groups: list[Group] = []
    ins: list[int] = []
    outs: list[int] = []
    while left or right or ins or outs:
        have = count([before[axis] for axis in ins])
        want = count([after[axis] for axis in outs])
        if ins and have == want:
            groups.append((tuple(ins), tuple(outs)))
            ins, outs = [], []
        elif (have <= want and left) or not right:
            if not left:
                raise ValueError(f"a shape {before} cannot become {after}")
            ins.append(left.pop(0))
        else:
            outs.append(right.pop(0))
    return groups


def _with_ones(axes: Sequence[int], sizes: Sizes) -> Order:
    """Return an order of axes, those of size 1 put in behind the axis before them."""
    order = list(axes)
    if order == sorted(order):
        return natural(len(sizes))
    for axis, _ in enumerate(sizes):
        if axis not in order:
            order.insert(order.index(axis - 1) + 1 if axis else 0, axis)
    return tuple(order)
