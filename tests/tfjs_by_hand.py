"""TF.js graph models written by hand: small, and with operators that edgekit would not write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

TYPES = {"float32": "DT_FLOAT", "int32": "DT_INT32", "bool": "DT_BOOL"}

# (shape with -1 where it is free, dtype)
Form = tuple[Sequence[int], str]


def node(name: str, op: str, *inputs: str, **attributes: Any) -> dict[str, Any]:
    """Return a node of a graph. attributes: as GraphDef has them in JSON; a str is a dtype."""
    forms = {
        key: {"type": TYPES[value]} if isinstance(value, str) else value
        for key, value in attributes.items()
    }
    return {"name": name, "op": op, "input": list(inputs), "attr": forms}


def write_tfjs(
    folder: Path,
    nodes: Sequence[dict[str, Any]],
    inputs: Mapping[str, Form],
    outputs: Mapping[str, Form],
    constants: Mapping[str, Any] | None = None,
) -> Path:
    """Write the model.json of a graph and its weights, and return the folder.

    inputs, constants: placeholders and constants of these names are added to `nodes`.
    """
    arrays = {name: np.asarray(array) for name, array in (constants or {}).items()}
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"".join(array.tobytes() for array in arrays.values()))
    made = [
        *(
            node(name, "Placeholder", dtype=dtype, shape={"shape": _sizes(shape)})
            for name, (shape, dtype) in inputs.items()
        ),
        *(node(name, "Const", dtype=array.dtype.name) for name, array in arrays.items()),
    ]
    model = {
        "format": "graph-model",
        "signature": {
            kind: {
                name: {"name": f"{name}:0", "dtype": TYPES[dtype], "tensorShape": _sizes(shape)}
                for name, (shape, dtype) in forms.items()
            }
            for kind, forms in (("inputs", inputs), ("outputs", outputs))
        },
        "modelTopology": {"node": [*made, *nodes], "versions": {}},
        "weightsManifest": [
            {
                "paths": ["weights.bin"],
                "weights": [
                    {"name": name, "shape": list(array.shape), "dtype": array.dtype.name}
                    for name, array in arrays.items()
                ],
            }
        ],
    }
    (folder / "model.json").write_text(json.dumps(model))
    return folder


def _sizes(shape: Sequence[int]) -> dict[str, Any]:
    return {"dim": [{"size": str(size)} for size in shape]}
