"""Paddings that the libraries below get wrong, written so that they cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit_converters.onnx.graph import attribute_of, graphs, values_of

# onnxruntime (1.31, rule "PadFusion") makes a zero Pad the padding of the MaxPool behind it, which
# is -inf: ResNet50V2 then answers at 14.4 dB. It looks for the bits of 0.0; -0.0 is the same number
# and is left alone.
NEGATIVE_ZERO = np.array(-0.0, np.float32)


def mend_paddings(graph: Any) -> None:
    """Keep zero Pads apart from MaxPools, and give transposed convolutions no negative pads."""
    for inner in graphs(graph):
        for node in inner.node:
            if node.op_type == "Pad":
                _keep_apart(inner, node)
            elif node.op_type == "ConvTranspose":
                _without_negative_pads(node)


def _keep_apart(graph: Any, node: Any) -> None:
    if not any(node.output[0] in user.input for user in _nodes(graph, "MaxPool")):
        return
    constants = {tensor.name: tensor for tensor in graph.initializer}
    given = node.input[2] if len(node.input) > 2 else ""
    if given and (given not in constants or values_of(constants[given]).any()):
        return
    name = f"{node.output[0]}_zero"
    graph.initializer.append(numpy_helper.from_array(NEGATIVE_ZERO, name))
    node.input[:] = [*node.input[:2], name, *node.input[3:]]


def _nodes(graph: Any, op: str) -> Iterator[Any]:
    return (node for node in graph.node if node.op_type == op)


def _without_negative_pads(node: Any) -> None:
    """Say an output that is larger than its natural size by output_padding.

    tf2onnx says it by negative pads at the end, which ONNX does not allow.
    """
    pads = list(attribute_of(node, "pads", ()))
    half = len(pads) // 2
    if not pads or min(pads) >= 0 or min(pads[:half]) < 0:
        return
    more = list(attribute_of(node, "output_padding", [0] * half))
    wanted = [more[axis] - min(pads[half + axis], 0) for axis in range(half)]
    kept = [value for value in node.attribute if value.name not in ("pads", "output_padding")]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.attribute.append(onnx.helper.make_attribute("pads", [max(pad, 0) for pad in pads]))
    node.attribute.append(onnx.helper.make_attribute("output_padding", wanted))
