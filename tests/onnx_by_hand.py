"""Small ONNX models, written node by node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from onnx import TensorProto, helper, numpy_helper

OPSET = 17
Shape = Sequence[int | str]


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> Any:
    """Return a node; names with spaces between them, "-" for what is left out."""
    names = ["" if name == "-" else name for name in inputs.split()]
    return helper.make_node(op, names, outputs.split(), name=f"{op}_{outputs}", **attributes)


def weights(*shape: int, seed: int = 0) -> Any:
    """Return small random numbers of float32."""
    found = np.random.default_rng(seed).normal(0, 0.3, shape)
    return found.astype(np.float32)


def model(
    nodes: Sequence[Any],
    inputs: Mapping[str, Shape],
    outputs: Sequence[str],
    constants: Mapping[str, Any] | None = None,
    opset: int = OPSET,
    dtypes: Mapping[str, int] | None = None,
) -> Any:
    """Return a model. inputs: shapes by name, text for a free size. dtypes: if not float32."""
    dtypes = dtypes or {}
    graph = helper.make_graph(
        nodes,
        "by hand",
        [
            helper.make_tensor_value_info(name, dtypes.get(name, TensorProto.FLOAT), shape)
            for name, shape in inputs.items()
        ],
        [
            helper.make_tensor_value_info(name, dtypes.get(name, TensorProto.FLOAT), None)
            for name in outputs
        ],
        [numpy_helper.from_array(np.asarray(x), name) for name, x in (constants or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
