"""Counting multiply-accumulates: one rule per kind of operator, the same for all formats.

One multiply-accumulate is one product added to a sum, the "mult-add" of the MobileNet papers
(Howard et al. 2017, arXiv:1704.04861, equations 2 to 5; Sandler et al. 2018, arXiv:1801.04381,
table 4: about 300 M for MobileNetV2 at 224 x 224). So for one sample:

    convolution             elements of the output x (kernel height x width x input channels of
                            its group)
    depthwise convolution   the same, where each group has one input channel
    transposed convolution  elements of the input x (kernel height x width x output channels)
    dense, matmul           elements of the output x the length of the sums
    recurrent layers        steps x elements of their kernels

Positions in the padding count, as they do in the papers. Everything else counts 0: additions,
activations, pooling, batch norms that are not convolutions. What computes an unknown number of
times (loops, branches) or in an unknown way (custom operators) has no count: None.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from edgekit.inspect.model import Shape


def elements(shape: Shape | None) -> int | None:
    """Return how many elements a tensor has; None if a size is not known."""
    if shape is None or None in shape:
        return None
    return math.prod(size for size in shape if size is not None)


def convolution(output: Shape | None, kernel: Shape | None, channels: Iterable[int]) -> int | None:
    """Return the count of a convolution, grouped, depthwise or plain, or of a dense layer.

    channels: the axes of the kernel along which the output channels lie; each output element is
    a sum over the others.
    """
    if kernel is None:
        return None
    return product(elements(output), _without(kernel, channels))


def transposed_convolution(
    data: int | None, kernel: Shape | None, input_channels: int
) -> int | None:
    """Return the count of a transposed convolution, or of a dense layer on data of any rank.

    data: how many elements the input has. input_channels: the axis of the kernel along which the
    input channels lie; each input element goes into a product with all the others.
    """
    if kernel is None:
        return None
    return product(data, _without(kernel, (input_channels,)))


def matmul(output: Shape | None, data: Shape | None, transposed: bool = False) -> int | None:
    """Return the count of a product of matrices, or of stacks of them.

    data: the left factor [..., rows, length of the sums]; transposed: [..., length, rows].
    """
    axis = -2 if transposed else -1
    if data is None or len(data) < -axis:
        return None
    return product(elements(output), data[axis])


def recurrent(steps: int | None, kernels: Sequence[Shape | None]) -> int | None:
    """Return the count of a recurrent layer: each step multiplies by all of its kernels."""
    sizes = [elements(kernel) for kernel in kernels]
    total = 0
    for size in sizes:
        if size is None:
            return None
        total += size
    return product(steps, total)


def product(*factors: int | None) -> int | None:
    """Return the product; None if a factor is not known."""
    known = [factor for factor in factors if factor is not None]
    return math.prod(known) if len(known) == len(factors) else None


def _without(shape: Shape, axes: Iterable[int]) -> int | None:
    """Return the product of the sizes of all other axes; None for axes that do not exist."""
    left_out = set(axes)
    if any(axis >= len(shape) for axis in left_out):
        return None
    return elements(tuple(size for axis, size in enumerate(shape) if axis not in left_out))
