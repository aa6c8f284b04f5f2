"""What TF.js cannot run, and says too late or not at all.

`supported_ops.json` lists the ops that its loader knows, taken from the npm package by
tests/converters/tfjs/node/list_ops.mjs; a test compares the two.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.library import all_nodes
from edgekit_converters.graph.naming import with_layers
from edgekit_converters.graph.shapes import Shapes
from edgekit_runtimes.errors import ConversionError


@cache
def supported_ops() -> frozenset[str]:
    """Return the names of the TensorFlow ops that the TF.js loader knows."""
    return frozenset(_listing()["ops"])


def check_ops(graph_def: Any) -> None:
    """Raise ConversionError naming every op that TF.js lacks, sorted, and the layers it is of."""
    missing = {node.op for node in all_nodes(graph_def)} - supported_ops()
    if missing:
        named = with_layers(graph_def, missing)
        raise ConversionError(
            f"TF.js {_listing()['version']} has no {named}. Replace the layers that "
            "make these ops, or write the other formats: --to tflite,onnx"
        )


def check_convolutions(frozen: FrozenGraph, shapes: Shapes) -> None:
    """Raise ConversionError for grouped convolutions and for ops that work channels first.

    TF.js refuses the former when it runs, and mostly computes the latter as channels last.
    """
    for node in frozen.graph_def.node:
        if _layout(node).startswith("NC"):
            raise ConversionError(
                f"'{node.name}' ({node.op}) works channels first ({_layout(node)}), which TF.js "
                "computes wrongly. Build the model with data_format='channels_last'."
            )
        if node.op == "Conv2D":
            image, kernel = (shapes.get(tensor) or (None, None) for tensor in node.input[:2])
            channels, depth = image[-1], kernel[-2]
            if None not in (channels, depth) and channels != depth:
                raise ConversionError(
                    f"'{node.name}' is a grouped convolution ({channels} channels in, kernels "
                    f"over {depth}), which TF.js does not have, in more groups than can be split. "
                    "Write the other formats: --to tflite,onnx"
                )


def _layout(node: Any) -> str:
    return node.attr["data_format"].s.decode() if "data_format" in node.attr else ""


@cache
def _listing() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("supported_ops.json").read_text("utf-8")
    listing: dict[str, Any] = json.loads(text)
    return listing
