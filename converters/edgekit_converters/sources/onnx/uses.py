"""What becomes of the tensors of an ONNX graph further on: it decides how they should lie."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import Enum
from typing import Any


class Use(Enum):
    """What a tensor reaches.

    IMAGE: a convolution, through operators that work in any order. PRODUCT: a matrix product,
    which takes its operands transposed as well. PARTS: only operators that pick a part of it.
    """

    IMAGE = "image"
    PRODUCT = "product"
    PARTS = "parts"


UNARY_OPS = frozenset(
    {
        "Abs",
        "Acos",
        "Acosh",
        "Asin",
        "Asinh",
        "Atan",
        "Atanh",
        "Ceil",
        "Cos",
        "Cosh",
        "Erf",
        "Exp",
        "Floor",
        "HardSwish",
        "Identity",
        "IsNaN",
        "Log",
        "Mish",
        "Neg",
        "Not",
        "Reciprocal",
        "Relu",
        "Round",
        "Sigmoid",
        "Sign",
        "Sin",
        "Sinh",
        "Softplus",
        "Softsign",
        "Sqrt",
        "Tan",
        "Tanh",
    }
)
BINARY_OPS = frozenset(
    {
        "Add",
        "And",
        "Equal",
        "Greater",
        "GreaterOrEqual",
        "Less",
        "LessOrEqual",
        "Mul",
        "Or",
        "Sub",
        "Xor",
    }
)
IMAGE_OPS = frozenset(
    {
        "AveragePool",
        "Conv",
        "ConvTranspose",
        "DepthToSpace",
        "GlobalAveragePool",
        "GlobalMaxPool",
        "GroupNormalization",
        "InstanceNormalization",
        "LRN",
        "LpPool",
        "MaxPool",
        "Resize",
        "SpaceToDepth",
        "Upsample",
    }
)
# They work in any order, and what they make is as much an image as what they take.
NEUTRAL_OPS = frozenset(
    {
        "BatchNormalization",
        "Cast",
        "Celu",
        "Clip",
        "Concat",
        "Div",
        "Dropout",
        "Elu",
        "Gelu",
        "HardSigmoid",
        "LeakyRelu",
        "Max",
        "Mean",
        "Min",
        "Mod",
        "PRelu",
        "Pad",
        "Pow",
        "Selu",
        "Slice",
        "Split",
        "Sum",
        "Swish",
        "ThresholdedRelu",
        "Where",
        *UNARY_OPS,
        *BINARY_OPS,
    }
)
PRODUCT_OPS = frozenset({"MatMul"})
# They keep two swapped axes swapped.
KEEPING_OPS = UNARY_OPS | {"Cast", "Div", "Mul", "Reshape"}
PICKING_OPS = frozenset({"Gather", "Slice", "Split", "Squeeze"})

Uses = Mapping[str, frozenset[Use]]


def uses(graph: Any, constants: AbstractSet[str]) -> Uses:
    """Return what each tensor is used for.

    constants: the tensors that are known.
    """
    reached: dict[Use, set[str]] = {use: set() for use in Use}
    images, products = reached[Use.IMAGE], reached[Use.PRODUCT]
    otherwise = {output.name for output in graph.output}
    for node in reversed(graph.node):
        moving = [name for name in node.input if name and name not in constants]
        if node.op_type in IMAGE_OPS:
            images.update(node.input[:1])
        elif node.op_type in NEUTRAL_OPS and images.intersection(node.output):
            images.update(moving)
        if node.op_type in PRODUCT_OPS:
            products.update(moving)
        elif node.op_type in KEEPING_OPS and products.intersection(node.output):
            products.update(moving[:1] if len(moving) == 1 else [])
        if node.op_type not in PICKING_OPS:
            otherwise.update(moving)
        reached[Use.PARTS].update(moving[:1])
    reached[Use.PARTS] -= otherwise
    names = set().union(*reached.values())
    return {name: frozenset(use for use in Use if name in reached[use]) for name in names}
