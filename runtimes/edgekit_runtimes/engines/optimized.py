"""Reading what onnxruntime made of a model: operators and kernels of an .onnx file.

A device may lack the `onnx` package, and this little of the format is easily read: protobuf
fields by the numbers that onnx.proto gives them.
https://protobuf.dev/programming-guides/encoding
https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from edgekit_runtimes.execution import Execution

MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER = 1, 5
NODE_INPUT, NODE_OP = 1, 4
TENSOR_DTYPE, TENSOR_NAME = 2, 8
VARINT, FIXED_64, BYTES, FIXED_32 = 0, 1, 2, 5

# TensorProto.DataType of what kernels are made of.
DTYPES = {1: "float32", 2: "uint8", 3: "int8", 10: "float16", 11: "float64", 16: "bfloat16"}
# Operators that multiply by a kernel: its place among their inputs.
KERNELS = {
    **dict.fromkeys(("Conv", "FusedConv", "ConvTranspose", "ConvInteger"), 1),
    **dict.fromkeys(("MatMul", "Gemm", "FusedMatMul", "FusedGemm", "MatMulNBits"), 1),
    **dict.fromkeys(("MatMulInteger", "MatMulIntegerToFloat", "DynamicQuantizeMatMul"), 1),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QGemm"), 3),
}

Field = tuple[int, int, int | memoryview]


def optimized_execution(content: bytes, nodes: int) -> Execution:
    """Return what is in an optimized file. nodes: how many there were in the original.

    Raises ValueError if it is not a protobuf message.
    """
    graph = _message(memoryview(content), MODEL_GRAPH)
    dtypes = {
        str(_message(tensor, TENSOR_NAME), "utf-8"): _number(tensor, TENSOR_DTYPE)
        for tensor in _messages(graph, GRAPH_INITIALIZER)
    }
    ops: Counter[str] = Counter()
    kernels: Counter[str] = Counter()
    for node in _messages(graph, GRAPH_NODE):
        op = str(_message(node, NODE_OP), "utf-8")
        inputs = [str(name, "utf-8") for name in _messages(node, NODE_INPUT)]
        ops[op] += 1
        place = KERNELS.get(op)
        if place is not None and place < len(inputs) and inputs[place] in dtypes:
            number = dtypes[inputs[place]]
            kernels[DTYPES.get(number, f"type {number}")] += 1
    return Execution(nodes=nodes, ops=ops, kernels=kernels)


def count_nodes(content: bytes) -> int:
    """Return how many nodes the main graph of an .onnx file has."""
    return sum(1 for _ in _messages(_message(memoryview(content), MODEL_GRAPH), GRAPH_NODE))


def _messages(data: memoryview, number: int) -> Iterator[memoryview]:
    for found, kind, value in _fields(data):
        if found == number and kind == BYTES and isinstance(value, memoryview):
            yield value


def _message(data: memoryview, number: int) -> memoryview:
    return next(_messages(data, number), memoryview(b""))


def _number(data: memoryview, number: int) -> int:
    for found, kind, value in _fields(data):
        if found == number and kind == VARINT and isinstance(value, int):
            return value
    return 0


def _fields(data: memoryview) -> Iterator[Field]:
    """Yield (number, wire type, value) of each field of a message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == VARINT:
            value, at = _varint(data, at)
            yield number, kind, value
            continue
        if kind == BYTES:
            size, at = _varint(data, at)
        elif kind in (FIXED_64, FIXED_32):
            size = 8 if kind == FIXED_64 else 4
        else:
            raise ValueError(f"wire type {kind} at byte {at}")
        yield number, kind, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    """Return the number at a byte (seven bits per byte), and where the next field begins."""
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise ValueError("the message ends in the middle of a number")
