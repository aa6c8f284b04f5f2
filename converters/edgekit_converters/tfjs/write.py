"""Write a prepared graph as a TF.js graph model: model.json and shards of weights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf
from google.protobuf import json_format
from tensorflow.core.framework import types_pb2

from edgekit_converters.effort import Effort
from edgekit_converters.graph.frozen import CONTROL_FLOW_OPS, FrozenGraph, GraphTensor
from edgekit_converters.graph.library import all_nodes
from edgekit_converters.left import FloatConstant, check_changed
from edgekit_converters.tfjs import RECIPES
from edgekit_converters.tfjs.fuse import EXACT_BIAS
from edgekit_converters.tfjs.ops import missing_on_wasm
from edgekit_converters.tfjs.prepare import prepare
from edgekit_converters.tfjs.tables import SCALES, scale_rows
from edgekit_converters.tfjs.weights import Entry, encode, spared

if TYPE_CHECKING:
    from edgekit_converters.calibration import Calibration

__all__ = ["prepare", "write"]

MODEL_FILE = "model.json"
FORMAT = "graph-model"

# Browsers cache files of this size, and fetch several at once.
SHARD_BYTES = 4 * 1024 * 1024

# TF.js waits for these, since the sizes of their outputs depend on values: the category "dynamic"
# of @tensorflow/tfjs-converter 4.22.0; a test compares the two.
DYNAMIC_OPS = frozenset(
    {"ListDiff", "Where", *(f"NonMaxSuppressionV{version}" for version in (2, 3, 4, 5))}
)
LOOP_NOTE = "the model has a loop or a branch: run it by model.executeAsync, not predict"
DYNAMIC_NOTE = (
    "the sizes of some results depend on values ({ops}): run the model by model.executeAsync, not "
    "predict"
)
WASM_NOTE = "the wasm back end of TF.js has no {ops}: run the model on webgl, webgpu or cpu"


def write(
    prepared: FrozenGraph,
    quantization: str,
    path: Path,
    calibration: Calibration | None = None,
    io: str = "float",
    effort: Effort = "low",
) -> tuple[str, ...]:
    """Write model.json and group1-shard*.bin into the folder `path`; return notes for the user.

    quantization: how the weights are stored, from their own values; TF.js computes in float32.
    effort: nothing is tried here, whatever it is.
    Raises NotAvailableError for what RECIPES does not list.
    """
    RECIPES.writer(quantization, calibration is not None, io)
    if quantization == "int8-weights":
        prepared = scale_rows(prepared)
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(prepared.graph_def)
    entries, data = _take_weights(graph_def, quantization)
    path.mkdir(parents=True, exist_ok=True)
    shards = _shards(data)
    for name, shard in shards.items():
        (path / name).write_bytes(shard)
    model = {
        "format": FORMAT,
        "generatedBy": f"tensorflow {tf.__version__}",
        "convertedBy": f"edgekit {metadata.version('edgekit')}",
        "signature": {
            "inputs": {entry.spec.name: _tensor_info(entry) for entry in prepared.inputs},
            "outputs": {entry.spec.name: _tensor_info(entry) for entry in prepared.outputs},
        },
        "modelTopology": _topology(graph_def),
        "weightsManifest": [{"paths": list(shards), "weights": entries}],
    }
    text = json.dumps(model, separators=(",", ":"), allow_nan=False)
    (path / MODEL_FILE).write_text(text, encoding="utf-8")
    return tuple(_notes(prepared))


def _notes(prepared: FrozenGraph) -> Iterator[str]:
    """Yield what must be said of how the model is run."""
    ops = {node.op for node in all_nodes(prepared.graph_def)}
    if ops & CONTROL_FLOW_OPS:
        yield LOOP_NOTE
    if dynamic := sorted(ops & DYNAMIC_OPS):
        yield DYNAMIC_NOTE.format(ops=", ".join(dynamic))
    if missing := missing_on_wasm(prepared):
        yield WASM_NOTE.format(ops=", ".join(missing))


def _take_weights(graph_def: Any, quantization: str) -> tuple[list[Entry], bytes]:
    """Move the values of all constants out of the graph.

    Raises NotAvailableError where the quantization stores none of them as it says.
    """
    entries, chunks = [], []
    exact = {node.input[2] for node in graph_def.node if node.attr[EXACT_BIAS].b}
    constants = [node for node in all_nodes(graph_def) if node.op == "Const"]
    values = {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in constants}
    in_half = set(spared(values)) if quantization == "int8-weights" else set()
    for name in (name for name in values if SCALES in name):
        fits = np.array_equal(values[name], values[name].astype(np.float16))
        (in_half if fits else exact).add(name)
    for node in constants:
        stored_as = "fp16" if node.name in in_half else quantization
        entry, chunk = encode(node.name, values[node.name], stored_as, node.name in exact)
        entries.append(entry)
        chunks.append(chunk)
        tensor = node.attr["value"].tensor
        tensor.CopyFrom(type(tensor)(dtype=tensor.dtype, tensor_shape=tensor.tensor_shape))
    if quantization != "fp32":
        plain = [
            entry for entry in entries if "quantization" not in entry or entry["name"] in in_half
        ]
        check_changed(_floats(entries), _floats(plain))
    return entries, b"".join(chunks)


def _floats(entries: Iterable[Entry]) -> list[FloatConstant]:
    return [
        FloatConstant(tuple(entry["shape"]), ()) for entry in entries if entry["dtype"] == "float32"
    ]


def _shards(data: bytes) -> dict[str, bytes]:
    count = max(1, -(-len(data) // SHARD_BYTES))
    return {
        f"group1-shard{number + 1}of{count}.bin": data[
            number * SHARD_BYTES : (number + 1) * SHARD_BYTES
        ]
        for number in range(count)
    }


def _topology(graph_def: Any) -> dict[str, Any]:
    for node in all_nodes(graph_def):
        node.ClearField("experimental_debug_info")
        node.ClearField("device")
        for name in [name for name in node.attr if name.startswith("_")]:
            del node.attr[name]
    topology: dict[str, Any] = json_format.MessageToDict(graph_def)
    functions = topology.get("library", {}).get("function", ())
    for node in (*topology["node"], *(node for body in functions for node in body["nodeDef"])):
        # In the order of their names: protobuf's own changes from one process to the next.
        if "attr" in node:
            node["attr"] = dict(sorted(node["attr"].items()))
    # Trap: the loader reads these lists without looking whether they are there.
    for function in functions:
        for arguments in ("inputArg", "outputArg"):
            function["signature"].setdefault(arguments, [])
    return topology


def _tensor_info(entry: GraphTensor) -> dict[str, Any]:
    dtype = tf.as_dtype(entry.spec.dtype).as_datatype_enum
    sizes: Sequence[int] = [-1 if size is None else size for size in entry.spec.shape]
    return {
        "name": entry.tensor,
        "dtype": types_pb2.DataType.Name(dtype),
        "tensorShape": {"dim": [{"size": str(size)} for size in sizes]},
    }
