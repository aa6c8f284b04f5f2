"""Sizes of axes, of which some are known only when the model runs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.shapes import Shape


def sizes_of(tensor: Any, shape: Shape) -> list[Any]:
    """Return the size of each axis: a number, or a tensor where it is not known."""
    return [
        tf.shape(tensor)[axis] if size is None else size for axis, size in enumerate(shape or ())
    ]


def product(sizes: Iterable[Any]) -> Any:
    """Return the product: a number, or a tensor where one of the sizes is one."""
    sizes = list(sizes)
    if all(isinstance(size, int) for size in sizes):
        return math.prod(sizes)
    return tf.reduce_prod(tf.stack(sizes))


def form(sizes: Sequence[Any]) -> list[Any]:
    """Return what tf.reshape takes: a single size that is not known is left to it."""
    unknown = [place for place, size in enumerate(sizes) if not isinstance(size, int)]
    if len(unknown) == 1:
        return [-1 if place in unknown else size for place, size in enumerate(sizes)]
    return list(sizes)
