"""Which tensors of an ONNX graph are images: those that reach a convolution."""

from __future__ import annotations

from typing import Any

from edgekit_converters.sources.onnx.ops.elementwise import BINARY, UNARY

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
        *UNARY,
        *BINARY,
    }
)


def images(graph: Any) -> frozenset[str]:
    """Return the names of the tensors that reach a convolution."""
    found = set[str]()
    for node in reversed(graph.node):
        if node.op_type in IMAGE_OPS:
            found.update(node.input[:1])
        elif node.op_type in NEUTRAL_OPS and found.intersection(node.output):
            found.update(name for name in node.input if name)
    return frozenset(found)
