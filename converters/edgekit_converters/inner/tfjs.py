"""The inner tensors of a TF.js folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

from edgekit_converters.inner import InnerTensor
from edgekit_converters.tfjs.write import MODEL_FILE

# What a node that says nothing of the type of its result gives is not of floats, as far as the
# operators go that are written.
TYPE_ATTRIBUTES = ("DstT", "dtype", "T")
UNCOMPUTED = ("Const", "Placeholder")


def tensors(path: Path) -> list[InnerTensor]:
    """Return the tensors of floats that the main graph computes."""
    nodes = {
        node["name"]: node
        for node in _model(path)["modelTopology"]["node"]
        if node["op"] not in UNCOMPUTED
    }
    inputs = {
        name: [source.lstrip("^").partition(":")[0] for source in node.get("input", ())]
        for name, node in nodes.items()
    }
    needs = {name: [one for one in sources if one in nodes] for name, sources in inputs.items()}
    return [
        InnerTensor(name, name, tuple(needs[name]))
        for name in TopologicalSorter(needs).static_order()
        if _gives_floats(nodes[name])
    ]


def expose(path: Path, names: Sequence[str], target: Path) -> Mapping[str, str]:
    """Write a copy of the folder whose signature gives these tensors too."""
    shutil.copytree(path, target)
    model = _model(path)
    outputs = {name: f"inner {number}" for number, name in enumerate(names)}
    for name, output in outputs.items():
        model["signature"]["outputs"][output] = {
            "name": f"{name}:0",
            "dtype": "DT_FLOAT",
            "tensorShape": {"dim": []},
        }
    (target / MODEL_FILE).write_text(json.dumps(model), encoding="utf-8")
    return outputs


def _model(path: Path) -> dict[str, Any]:
    model: dict[str, Any] = json.loads((path / MODEL_FILE).read_text(encoding="utf-8"))
    return model


def _gives_floats(node: Mapping[str, Any]) -> bool:
    attributes = node.get("attr", {})
    types = [attributes[name]["type"] for name in TYPE_ATTRIBUTES if name in attributes]
    return types[:1] == ["DT_FLOAT"]
