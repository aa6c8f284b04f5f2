"""A TFLite file being edited: its flatbuffer as objects, with its large buffers in it."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.tools import flatbuffer_utils

from edgekit_runtimes.tensors import Array

IDENTIFIER = b"TFL3"

# Stands for an input that an operator may have and does not.
ABSENT = -1

_DTYPES = {
    schema.TensorType.FLOAT32: np.dtype(np.float32),
    schema.TensorType.FLOAT16: np.dtype(np.float16),
    schema.TensorType.INT8: np.dtype(np.int8),
    schema.TensorType.UINT8: np.dtype(np.uint8),
    schema.TensorType.INT32: np.dtype(np.int32),
}
_TYPES = {dtype: kind for kind, dtype in _DTYPES.items()}

# An operator code has a byte for the builtin's number, and since there are more than that, a field.
_OLD_CODE_LIMIT = schema.BuiltinOperator.PLACEHOLDER_FOR_GREATER_OP_CODES


class Tree:
    """A model as objects of the schema.

    Trap: the LiteRT quantizer writes large buffers behind the flatbuffer, where unpacking alone
    loses them.
    """

    def __init__(self, content: bytes) -> None:
        self.model: Any = flatbuffer_utils.read_model_from_bytearray(content)
        for buffer in self.model.buffers:
            if buffer.data is not None:
                # Anything else is packed byte by byte, in minutes.
                buffer.data = np.frombuffer(buffer.data, np.uint8)

    def content(self) -> bytes:
        """Return the file as it is now."""
        for number, subgraph in enumerate(self.model.subgraphs):
            self._drop_unread_tensors(number, subgraph)
        self._drop_unread_buffers()
        builder = flatbuffers.Builder(1024)
        builder.Finish(self.model.Pack(builder), file_identifier=IDENTIFIER)
        return bytes(builder.Output())

    def code(self, operator: Any) -> int:
        """Return which builtin an operator is."""
        code = self.model.operatorCodes[operator.opcodeIndex]
        return int(max(code.builtinCode, code.deprecatedBuiltinCode))

    def readers(self, subgraph: Any) -> dict[int, list[tuple[Any, int]]]:
        """Return what reads each tensor of a subgraph: operators, and at which place."""
        found = defaultdict(list)
        for operator in subgraph.operators:
            for place, tensor in enumerate(operator.inputs):
                found[tensor].append((operator, place))
        return dict(found)

    def values(self, tensor: Any) -> Array | None:
        """Return a tensor's values where it is a constant of a type that is known here."""
        data = self.model.buffers[tensor.buffer].data
        if data is None or not len(data) or tensor.type not in _DTYPES:
            return None
        return np.asarray(data.view(_DTYPES[tensor.type]).reshape(shape_of(tensor)))

    def add_constant(self, subgraph: Any, name: str, values: Array) -> int:
        """Add a constant and return its number."""
        number = self.add_tensor(subgraph, name, list(values.shape), _TYPES[values.dtype])
        subgraph.tensors[number].buffer = self.add_buffer(values)
        return number

    def add_nibbles(self, subgraph: Any, name: str, values: Array) -> int:
        """Add a constant of 4-bit integers, two in a byte, and return its number."""
        number = self.add_tensor(subgraph, name, list(values.shape), schema.TensorType.INT4)
        flat = np.pad(values.reshape(-1), (0, values.size % 2)).astype(np.uint8) & 15
        subgraph.tensors[number].buffer = self.add_buffer(flat[::2] | (flat[1::2] << 4))
        return number

    def add_buffer(self, values: Array) -> int:
        """Return the number of a buffer of these bytes: one that is there, or a new one."""
        data = np.frombuffer(values.tobytes(), np.uint8)
        for number, buffer in enumerate(self.model.buffers):
            if buffer.data is not None and np.array_equal(buffer.data, data):
                return number
        self.model.buffers.append(schema.BufferT(data=data))
        return len(self.model.buffers) - 1

    def add_tensor(
        self, subgraph: Any, name: str, shape: list[int], kind: int, free: list[int] | None = None
    ) -> int:
        """Add a tensor that an operator makes and return its number.

        free: the shape with -1 for sizes that are free, where there are such.
        """
        taken = {tensor.name for tensor in subgraph.tensors}
        unique, count = name.encode(), 0
        while unique in taken:
            count += 1
            unique = f"{name}_{count}".encode()
        tensor = schema.TensorT(name=unique, shape=shape, type=kind, buffer=0)
        tensor.shapeSignature = free
        subgraph.tensors.append(tensor)
        return len(subgraph.tensors) - 1

    def operator(self, code: int, inputs: list[int], output: int, options: Any = None) -> Any:
        """Return a new operator, which is nowhere yet."""
        made = schema.OperatorT(opcodeIndex=self._code_index(code), inputs=inputs, outputs=[output])
        if options is not None:
            made.builtinOptions = options
            made.builtinOptionsType = getattr(
                schema.BuiltinOptions, type(options).__name__.removesuffix("T")
            )
        return made

    def _code_index(self, code: int) -> int:
        for index, known in enumerate(self.model.operatorCodes):
            if max(known.builtinCode, known.deprecatedBuiltinCode) == code:
                return index
        made = schema.OperatorCodeT(
            builtinCode=code, deprecatedBuiltinCode=min(code, _OLD_CODE_LIMIT), version=1
        )
        self.model.operatorCodes.append(made)
        return len(self.model.operatorCodes) - 1

    def _drop_unread_tensors(self, number: int, subgraph: Any) -> None:
        """Drop the tensors that no operator names any more."""
        named = {*subgraph.inputs, *subgraph.outputs}
        for operator in subgraph.operators:
            named.update(operator.inputs, operator.outputs, operator.intermediates or ())
        kept = sorted(named - {ABSENT})
        places = {old: new for new, old in enumerate(kept)} | {ABSENT: ABSENT}
        subgraph.tensors = [subgraph.tensors[old] for old in kept]
        subgraph.inputs = [places[old] for old in subgraph.inputs]
        subgraph.outputs = [places[old] for old in subgraph.outputs]
        for operator in subgraph.operators:
            for field in ("inputs", "outputs", "intermediates"):
                old_numbers = getattr(operator, field)
                if old_numbers is not None:
                    setattr(operator, field, [places[old] for old in old_numbers])
        for signature in self.model.signatureDefs or ():
            if signature.subgraphIndex == number:
                for entry in (*signature.inputs, *signature.outputs):
                    entry.tensorIndex = places[entry.tensorIndex]

    def _drop_unread_buffers(self) -> None:
        """Empty the buffers that nothing names any more."""
        read = {tensor.buffer for graph in self.model.subgraphs for tensor in graph.tensors}
        read |= {entry.buffer for entry in self.model.metadata or ()}
        for number, buffer in enumerate(self.model.buffers):
            if number not in read:
                buffer.data = None


def shape_of(tensor: Any) -> list[int]:
    """Return a tensor's shape; that of a scalar is empty."""
    return [] if tensor.shape is None else list(tensor.shape)
