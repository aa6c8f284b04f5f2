"""Shapes between the nodes of a TF.js model, which model.json does not give.

Enough of TensorFlow's shape inference for what nets are made of, the arithmetic on shapes that
`Reshape` layers leave in the graph included. If there is no rule for an operator, the shape is
None, and so is what follows from it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from edgekit.inspect.model import Shape
from edgekit.inspect.tfjs.operation import Operation

Rule = Callable[[Operation], Shape | None]


def infer_shape(operation: Operation) -> Shape | None:
    """Return the shape of a node's first output, or None."""
    rule = RULES.get(operation.op)
    return rule(operation) if rule else None


def _same(operation: Operation) -> Shape | None:
    return operation.shape()


def _broadcast(operation: Operation) -> Shape | None:
    shapes = operation.shapes
    if not shapes or any(shape is None for shape in shapes):
        return None
    known = [shape for shape in shapes if shape is not None]
    rank = max(len(shape) for shape in known)
    padded = [(1,) * (rank - len(shape)) + shape for shape in known]
    sizes: list[int | None] = []
    for axis in zip(*padded, strict=True):
        wide = {size for size in axis if size != 1}
        sizes.append(wide.pop() if len(wide) == 1 else None if wide else 1)
    return tuple(sizes)


def _convolution(operation: Operation) -> Shape | None:
    data, kernel = operation.shape(0), operation.shape(1)
    if data is None or kernel is None:
        return None
    is_depthwise = "epthwise" in operation.op
    channels = _times(kernel[-2], kernel[-1]) if is_depthwise else kernel[-1]
    return _windows(operation, data, kernel[: len(data) - 2], channels)


def _pool(operation: Operation) -> Shape | None:
    data, window = operation.shape(0), operation.numbers("ksize")
    return None if data is None else _windows(operation, data, tuple(window[1:-1]), data[-1])


def _windows(operation: Operation, data: Shape, window: Shape, channels: int | None) -> Shape:
    """Return the shape where a window moves over data [batch, …, channels]."""
    count = len(data) - 2
    strides = operation.numbers("strides")[1 : 1 + count] or [1] * count
    dilations = operation.numbers("dilations")[1 : 1 + count] or [1] * count
    paddings = operation.numbers("explicit_paddings")
    mode = operation.word("padding")
    sizes: list[int | None] = []
    for axis in range(count):
        size, width = data[1 + axis], window[axis]
        if size is None or width is None:
            sizes.append(None)
            continue
        reach = (width - 1) * dilations[axis] + 1
        if mode == "SAME":
            sizes.append(-(-size // strides[axis]))
            continue
        if mode == "EXPLICIT":
            size += sum(paddings[2 + 2 * axis : 4 + 2 * axis])
        sizes.append((size - reach) // strides[axis] + 1)
    return (data[0], *sizes, channels)


def _transposed_convolution(operation: Operation) -> Shape | None:
    kernel, data, sizes = operation.shape(1), operation.shape(2), operation.values(0)
    if data is None or kernel is None:
        return None
    if sizes:
        return (data[0], *sizes[1:])
    # The sizes are computed in the graph, for the batch's sake; Keras computes them so.
    strides = operation.numbers("strides")[1:-1]
    is_valid = operation.word("padding") == "VALID"
    grown = [
        None
        if size is None or width is None
        else size * stride + (max(width - stride, 0) if is_valid else 0)
        for size, width, stride in zip(data[1:-1], kernel, strides, strict=False)
    ]
    return (data[0], *grown, kernel[-2])


def _matmul(operation: Operation) -> Shape | None:
    left, right = operation.shape(0), operation.shape(1)
    if left is None or right is None or min(len(left), len(right)) < 2:
        return None
    rows = left[-1] if operation.flag("transpose_a") or operation.flag("adj_x") else left[-2]
    columns = right[-2] if operation.flag("transpose_b") or operation.flag("adj_y") else right[-1]
    return (*(left if len(left) >= len(right) else right)[:-2], rows, columns)


def _reduce(operation: Operation) -> Shape | None:
    data, axes = operation.shape(0), operation.values(1)
    if data is None or axes is None:
        return None
    reduced = {axis % len(data) for axis in axes} if data else set()
    if operation.flag("keep_dims"):
        return tuple(1 if axis in reduced else size for axis, size in enumerate(data))
    return tuple(size for axis, size in enumerate(data) if axis not in reduced)


def _reshape(operation: Operation) -> Shape | None:
    data, sizes = operation.shape(0), operation.values(1)
    if sizes is None:
        return None
    if -1 not in sizes:
        return tuple(sizes)
    if data is None or None in data:
        return tuple(None if size < 0 else size for size in sizes)
    total = math.prod(size for size in data if size is not None)
    rest = math.prod(size for size in sizes if size >= 0)
    return tuple((total // rest if rest else 0) if size < 0 else size for size in sizes)


def _pad(operation: Operation) -> Shape | None:
    data, paddings = operation.shape(0), operation.values(1)
    if data is None or paddings is None or len(paddings) != 2 * len(data):
        return None
    return tuple(
        None if size is None else size + paddings[2 * axis] + paddings[2 * axis + 1]
        for axis, size in enumerate(data)
    )


def _concat(operation: Operation) -> Shape | None:
    axes, shapes = operation.values(-1), operation.shapes[:-1]
    first = operation.shape(0)
    if not axes or not first or any(shape is None for shape in shapes):
        return None
    axis = axes[0] % len(first)
    sizes = [shape[axis] for shape in shapes if shape is not None]
    total = None if None in sizes else sum(size for size in sizes if size is not None)
    return (*first[:axis], total, *first[axis + 1 :])


def _space_to_batch(operation: Operation) -> Shape | None:
    data, blocks, paddings = operation.shape(0), operation.values(1), operation.values(2)
    if not data or not blocks or paddings is None:
        return None
    sizes = [
        None if size is None else (size + sum(paddings[2 * axis : 2 * axis + 2])) // block
        for axis, (size, block) in enumerate(zip(data[1:], blocks, strict=False))
    ]
    return (_times(data[0], math.prod(blocks)), *sizes, *data[1 + len(blocks) :])


def _batch_to_space(operation: Operation) -> Shape | None:
    data, blocks, crops = operation.shape(0), operation.values(1), operation.values(2)
    if not data or not blocks or crops is None or data[0] is None:
        return None
    sizes = [
        None if size is None else size * block - sum(crops[2 * axis : 2 * axis + 2])
        for axis, (size, block) in enumerate(zip(data[1:], blocks, strict=False))
    ]
    return (data[0] // math.prod(blocks), *sizes, *data[1 + len(blocks) :])


def _transpose(operation: Operation) -> Shape | None:
    data, order = operation.shape(0), operation.values(1)
    if data is None or order is None or len(order) != len(data):
        return None
    return tuple(data[axis] for axis in order)


def _expand(operation: Operation) -> Shape | None:
    data, axes = operation.shape(0), operation.values(1)
    if data is None or not axes:
        return None
    axis = axes[0] % (len(data) + 1)
    return (*data[:axis], 1, *data[axis:])


def _squeeze(operation: Operation) -> Shape | None:
    data = operation.shape(0)
    if data is None:
        return None
    axes = operation.numbers("squeeze_dims") or operation.numbers("axis")
    dropped = {axis % len(data) for axis in axes}
    return tuple(
        size for axis, size in enumerate(data) if (axis not in dropped if dropped else size != 1)
    )


def _resize(operation: Operation) -> Shape | None:
    data, sizes = operation.shape(0), operation.values(1)
    return None if data is None or sizes is None else (data[0], *sizes, data[-1])


def _split(operation: Operation) -> Shape | None:
    data, axes, count = operation.shape(1), operation.values(0), operation.number("num_split", 1)
    if not data or not axes:
        return None
    axis = axes[0] % len(data)
    size = data[axis]
    return (*data[:axis], None if size is None else size // count, *data[axis + 1 :])


def _times(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first * second


RULES: Mapping[str, Rule] = {
    "Placeholder": Operation.stated_shape,
    **dict.fromkeys(
        (
            *("Identity", "Cast", "Relu", "Relu6", "Elu", "Selu", "LeakyRelu", "Prelu", "Sigmoid"),
            *("Tanh", "Softplus", "Softmax", "LogSoftmax", "Exp", "Log", "Sqrt", "Rsqrt", "Square"),
            *("Neg", "Abs", "Erf", "Sign", "Round", "Floor", "Ceil", "ClipByValue", "BiasAdd"),
            *("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3", "LRN", "ReverseV2"),
            *("StopGradient", "Reciprocal", "Sin", "Cos", "ZerosLike", "OnesLike"),
        ),
        _same,
    ),
    **dict.fromkeys(
        (
            *("Add", "AddV2", "AddN", "Sub", "Mul", "Div", "RealDiv", "DivNoNan", "Maximum"),
            *("Minimum", "Pow", "SquaredDifference", "FloorDiv", "Greater", "Less", "Equal"),
            *("GreaterEqual", "LessEqual", "NotEqual", "LogicalAnd", "LogicalOr", "SelectV2"),
        ),
        _broadcast,
    ),
    **dict.fromkeys(
        (
            *("Conv2D", "_FusedConv2D", "DepthwiseConv2dNative", "FusedDepthwiseConv2dNative"),
            "Conv3D",
        ),
        _convolution,
    ),
    "Conv2DBackpropInput": _transposed_convolution,
    **dict.fromkeys(("MaxPool", "AvgPool", "MaxPool3D", "AvgPool3D"), _pool),
    **dict.fromkeys(("MatMul", "_FusedMatMul", "BatchMatMul", "BatchMatMulV2"), _matmul),
    **dict.fromkeys(("Mean", "Sum", "Max", "Min", "Prod", "All", "Any"), _reduce),
    "Reshape": _reshape,
    **dict.fromkeys(("Pad", "PadV2", "MirrorPad"), _pad),
    "ConcatV2": _concat,
    "Transpose": _transpose,
    "ExpandDims": _expand,
    "Squeeze": _squeeze,
    **dict.fromkeys(("ResizeBilinear", "ResizeNearestNeighbor"), _resize),
    "Split": _split,
    "SpaceToBatchND": _space_to_batch,
    "BatchToSpaceND": _batch_to_space,
}
