"""What a layer multiplies its kernel with: one row of numbers for each place of its output."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit_converters.quantize.kernels import DENSE, Kernel
from edgekit_runtimes.tensors import Array


def patches(kernel: Kernel, value: Array, count: int, generator: np.random.Generator) -> Array:
    """Return up to `count` patches of a layer's input, float32 [groups, patches, rows].

    value: the input. rows: in the order of the kernel's first axes; of a depthwise layer each
    channel is a group. The places are drawn from all of the output's.
    """
    if kernel.node.op == DENSE:
        rows = value.reshape(-1, value.shape[-1])
        return _some(rows, count, generator)[None].astype(np.float32)
    height, width = kernel.values.shape[:2]
    (down, right), (row_step, column_step) = (_sizes(kernel.node, name) for name in STEPS)
    value, (tall, wide) = _padded(kernel, value, (down, right), (row_step, column_step))
    places = np.arange(len(value) * tall * wide)
    image, row, column = np.unravel_index(_some(places, count, generator), (len(value), tall, wide))
    rows = (row * down)[:, None] + np.arange(height) * row_step
    columns = (column * right)[:, None] + np.arange(width) * column_step
    found = value[image[:, None, None], rows[:, :, None], columns[:, None, :]]
    # [patches, height, width, channels] -> [groups, patches, rows]
    groups = kernel.inputs if kernel.is_depthwise else kernel.groups
    grouped = found.reshape(*found.shape[:3], groups, -1).transpose(3, 0, 1, 2, 4)
    return np.ascontiguousarray(grouped.reshape(groups, len(found), -1), np.float32)


STEPS = ("strides", "dilations")


def _some(values: Array, count: int, generator: np.random.Generator) -> Array:
    if len(values) <= count:
        return values
    return values[np.sort(generator.choice(len(values), count, replace=False))]


def _sizes(node: Any, name: str) -> tuple[int, int]:
    sizes = list(node.attr[name].list.i) or [1, 1, 1, 1]
    # A depthwise convolution names its dilations in the same way.
    return int(sizes[1]), int(sizes[2])


def _padded(
    kernel: Kernel, value: Array, strides: tuple[int, int], steps: tuple[int, int]
) -> tuple[Array, tuple[int, int]]:
    """Return the input with its padding, and how many places the output has along each axis."""
    padding, places = [(0, 0)], []
    explicit = list(kernel.node.attr["explicit_paddings"].list.i)
    for axis in (1, 2):
        size, stride = value.shape[axis], strides[axis - 1]
        reach = (kernel.values.shape[axis - 1] - 1) * steps[axis - 1] + 1
        if kernel.node.attr["padding"].s == b"SAME":
            out = -(-size // stride)
            total = max(0, (out - 1) * stride + reach - size)
            padding.append((total // 2, total - total // 2))
        else:
            before, after = explicit[2 * axis : 2 * axis + 2] if explicit else (0, 0)
            padding.append((before, after))
            out = max(0, (size + before + after - reach) // stride + 1)
        places.append(out)
    return np.pad(value, [*padding, (0, 0)]), (places[0], places[1])
