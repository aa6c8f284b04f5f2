"""TFLite files written tensor by tensor, for what no converter writes on purpose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

FLOAT = schema.TensorType.FLOAT32
INT = schema.TensorType.INT32


def write_recurrent(path: Path) -> None:
    """y = x + h, and h = y: the state h outlives a run. x and y are [1, 2]."""
    tensors = [
        _tensor("x", [1, 2]),
        _tensor("weights", [2, 2], buffer=1),
        _tensor("recurrent", [2, 2], buffer=1),
        _tensor("bias", [2], buffer=2),
        _tensor("state", [1, 2], variable=True),
        _tensor("y", [1, 2]),
    ]
    operator = schema.OperatorT()
    operator.inputs = [0, 1, 2, 3, 4]
    operator.outputs = [5]
    operator.builtinOptionsType = schema.BuiltinOptions.RNNOptions
    operator.builtinOptions = schema.RNNOptionsT()
    _write(path, tensors, [operator], schema.BuiltinOperator.RNN, [0], [5], [np.eye(2), [0, 0]])


def write_remainder(path: Path) -> None:
    """y = floor_mod(a, b) on int32 [2]: the interpreter divides without a look at the numbers.

    -2**31 by -1 is a division whose quotient does not fit: signal 8 on x86-64, in LiteRT 2.3 too.
    """
    tensors = [_tensor(name, [2], dtype=INT) for name in ("a", "b", "y")]
    operator = schema.OperatorT()
    operator.inputs = [0, 1]
    operator.outputs = [2]
    _write(path, tensors, [operator], schema.BuiltinOperator.FLOOR_MOD, [0, 1], [2])


def write_reordered(path: Path) -> None:
    """negative = -x and same = x: the file lists them the other way round than the signature."""
    tensors = [_tensor(name, [1, 2]) for name in ("t0", "t1", "t2")]
    negate = schema.OperatorT()
    negate.inputs = [0]
    negate.outputs = [1]
    again = schema.OperatorT()
    again.inputs = [1]
    again.outputs = [2]
    _write(
        path,
        tensors,
        [negate, again],
        schema.BuiltinOperator.NEG,
        [0],
        [2, 1],
        signature=({"x": 0}, {"negative": 1, "same": 2}),
    )


def _tensor(
    name: str,
    shape: Sequence[int],
    *,
    dtype: int = FLOAT,
    buffer: int = 0,
    variable: bool = False,
) -> Any:
    tensor = schema.TensorT()
    tensor.name = name
    tensor.shape = list(shape)
    tensor.type = dtype
    tensor.buffer = buffer
    tensor.isVariable = variable
    return tensor


def _write(
    path: Path,
    tensors: Sequence[Any],
    operators: Sequence[Any],
    op: int,
    inputs: Sequence[int],
    outputs: Sequence[int],
    constants: Sequence[Any] = (),
    signature: tuple[Mapping[str, int], Mapping[str, int]] | None = None,
) -> None:
    """Write a file of one kind of operator. Buffer 0 is empty, 1 the first of `constants`."""
    graph = schema.SubGraphT()
    graph.tensors = list(tensors)
    graph.operators = list(operators)
    graph.inputs = list(inputs)
    graph.outputs = list(outputs)
    code = schema.OperatorCodeT()
    code.builtinCode = op
    code.deprecatedBuiltinCode = op
    code.version = 1
    model = schema.ModelT()
    model.version = 3
    model.subgraphs = [graph]
    model.operatorCodes = [code]
    model.buffers = [schema.BufferT(), *(_buffer(values) for values in constants)]
    if signature:
        entry = schema.SignatureDefT()
        entry.signatureKey = "serving_default"
        entry.subgraphIndex = 0
        entry.inputs, entry.outputs = (_tensor_map(names) for names in signature)
        model.signatureDefs = [entry]
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))


def _buffer(values: Any) -> Any:
    buffer = schema.BufferT()
    buffer.data = np.frombuffer(np.asarray(values, np.float32).tobytes(), np.uint8)
    return buffer


def _tensor_map(names: Mapping[str, int]) -> list[Any]:
    entries = []
    for name, index in names.items():
        entry = schema.TensorMapT()
        entry.name = name
        entry.tensorIndex = index
        entries.append(entry)
    return entries
