"""Reading a .tflite file, by the schema that LiteRT's package brings along."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edgekit.inspect import macs
from edgekit.inspect.compute import element_compute, kernel_compute
from edgekit.inspect.model import Compute, Graph, Quantization, Tensor
from edgekit.inspect.tflite.shapes import total_elements, with_free_sizes
from edgekit.inspect.wiring import RawNode, Wiring
from edgekit_runtimes.errors import ArtifactError, UsageError, map_exceptions

FILE_IDENTIFIER = b"TFL3"

# Operators with a kernel: the places of the data and of the kernel among the inputs.
KERNELS = {
    "CONV_2D": (0, 1),
    "DEPTHWISE_CONV_2D": (0, 1),
    "CONV_3D": (0, 1),
    "FULLY_CONNECTED": (0, 1),
    "TRANSPOSE_CONV": (2, 1),
    "CONV_3D_TRANSPOSE": (2, 1),
    "BATCH_MATMUL": (0, 1),
}
# The axes of the output channels in a kernel.
OUTPUT_CHANNELS = {"CONV_2D": (0,), "DEPTHWISE_CONV_2D": (3,), "CONV_3D": (4,)}
# The axis of the input channels in a kernel with which each input element is multiplied. So for
# FULLY_CONNECTED: it takes data of any rank.
INPUT_CHANNELS = {"TRANSPOSE_CONV": 3, "CONV_3D_TRANSPOSE": 4, "FULLY_CONNECTED": 1}

# Operators that multiply, a number of times that shapes do not tell or that no rule here counts.
UNCOUNTED = frozenset(
    {
        *("WHILE", "IF", "CALL", "CALL_ONCE", "RNN", "LSTM", "SVDF"),
        *("UNIDIRECTIONAL_SEQUENCE_RNN", "BIDIRECTIONAL_SEQUENCE_RNN"),
        *("UNIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_LSTM"),
    }
)
CONVERSIONS = frozenset({"QUANTIZE", "DEQUANTIZE", "CAST", "FAKE_QUANT"})

# Constants that shapes follow from (orders of axes, sizes of blocks) are small.
LARGEST_READ = 64


def read_tflite(path: Path) -> Graph:
    """Return the graph of a .tflite file. Raises ArtifactError if it is damaged."""
    with map_exceptions(f"{path} cannot be read", ArtifactError, OSError):
        content = path.read_bytes()
    try:
        from ai_edge_litert import schema_py_generated as schema
    except ImportError as error:
        raise UsageError(
            "Reading the nodes of a .tflite file needs LiteRT: pip install ai-edge-litert"
        ) from error
    if content[4:8] != FILE_IDENTIFIER:
        raise ArtifactError(f"{path} is damaged: it does not begin as a TFLite file does.")
    with map_exceptions(f"{path} is damaged", ArtifactError):
        return _File(content, schema).graph()


class _File:
    """One file. A damaged one may claim a list of any length: each is checked against the file."""

    def __init__(self, content: bytes, schema: Any) -> None:
        self._schema = schema
        self._size = len(content)
        self._model = schema.Model.GetRootAsModel(content, 0)
        self._ops = _names(schema.BuiltinOperator)
        self._dtypes = _names(schema.TensorType)
        self._buffers_seen: set[int] = set()
        self._tensors: dict[str, Tensor] = {}
        self._values: dict[str, tuple[int, ...]] = {}
        # Elements of each tensor, also where its shape is not known.
        self._totals: dict[str, int | None] = {}

    def graph(self) -> Graph:
        """Return the graph, the main one's nodes first."""
        nodes: list[RawNode] = []
        subgraphs = self._items(self._model.SubgraphsLength(), self._model.Subgraphs)
        for number, subgraph in enumerate(subgraphs):
            keys = [f"{number}:{index}" for index in range(self._checked(subgraph.TensorsLength()))]
            operators = list(self._items(subgraph.OperatorsLength(), subgraph.Operators))
            made = {index for op in operators for index in _ints(op.OutputsAsNumpy())}
            tensors = self._items(subgraph.TensorsLength(), subgraph.Tensors)
            for index, (key, tensor) in enumerate(zip(keys, tensors, strict=True)):
                self._take_tensor(key, tensor, index in made)
            for index in _ints(subgraph.InputsAsNumpy()):
                self._set_batch_to_one(keys[index])
            nodes += [self._node(operator, keys, number > 0) for operator in operators]
        return Wiring(self._tensors, nodes).graph(_compute)

    def _checked(self, length: int) -> int:
        if length > self._size:
            raise ValueError(f"it claims a list of {length} entries")
        return length

    def _items(self, length: int, item: Callable[[int], Any]) -> Iterator[Any]:
        return (item(index) for index in range(self._checked(length)))

    def _set_batch_to_one(self, key: str) -> None:
        tensor = self._tensors[key]
        if tensor.shape and tensor.shape[0] is None:
            self._tensors[key] = replace(tensor, shape=(1, *tensor.shape[1:]))
        self._totals[key] = macs.elements(self._tensors[key].shape)

    def _take_tensor(self, key: str, tensor: Any, is_made: bool) -> None:
        sizes = _ints(tensor.ShapeSignatureAsNumpy()) or _ints(tensor.ShapeAsNumpy())
        dtype = self._dtypes.get(tensor.Type(), f"type {tensor.Type()}").lower()
        stored = None if is_made or tensor.IsVariable() else self._stored_bytes(tensor.Buffer())
        self._tensors[key] = Tensor(
            name=(tensor.Name() or b"").decode("utf-8", "replace"),
            shape=tuple(None if size < 0 else size for size in sizes),
            dtype=dtype,
            quantization=_quantization(tensor.Quantization(), self._schema),
            bytes=stored,
        )
        buffer = self._model.Buffers(tensor.Buffer())
        is_small = math.prod(sizes) <= LARGEST_READ and buffer.DataLength() > 0
        if stored is not None and dtype == "int32" and is_small:
            self._values[key] = _ints(buffer.DataAsNumpy().view("<i4"))

    def _stored_bytes(self, number: int) -> int | None:
        """Return a constant's bytes: 0 if its buffer is another's; None if it is not a constant."""
        if number >= self._model.BuffersLength():
            raise ValueError(f"there is no buffer {number}")
        buffer = self._model.Buffers(number)
        # Files of over 2 GB hold their buffers after the tables, by offset.
        size = self._checked(int(buffer.Size() or buffer.DataLength()))
        if number == 0 or size == 0:
            return None
        is_shared = number in self._buffers_seen
        self._buffers_seen.add(number)
        return 0 if is_shared else size

    def _node(self, operator: Any, keys: Sequence[str], in_body: bool) -> RawNode:
        inputs, outputs = (
            tuple("" if index < 0 else keys[index] for index in _ints(indices))
            for indices in (operator.InputsAsNumpy(), operator.OutputsAsNumpy())
        )
        op = self._op(operator.OpcodeIndex())
        shapes = [self._tensors[key].shape if key else None for key in inputs]
        values = [self._values.get(key) for key in inputs]
        total = total_elements(op, shapes, [self._totals.get(key) for key in inputs])
        for key in filter(None, outputs):
            tensor = self._tensors[key]
            sizes = with_free_sizes(op, tensor.shape or (), shapes, values, total)
            self._tensors[key] = replace(tensor, shape=sizes)
            known = macs.elements(sizes)
            self._totals[key] = total if known is None else known
        data, kernel = KERNELS.get(op, (0, None))
        node = RawNode(op, inputs, outputs, 0, data, kernel, in_body=in_body)
        return replace(node, macs=self._macs(node, operator))

    def _op(self, index: int) -> str:
        code = self._model.OperatorCodes(index)
        # Codes under 127 are in the older field, which newer writers fill as well.
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        name = self._ops.get(number, f"operator {number}")
        custom = code.CustomCode()
        return custom.decode("utf-8", "replace") if name == "CUSTOM" and custom else name

    def _macs(self, node: RawNode, operator: Any) -> int | None:
        if node.op in UNCOUNTED or node.op not in self._ops.values():
            return None
        if node.op not in KERNELS:
            return 0
        if node.in_body:
            return None
        data, kernel, output = (
            self._tensors[key].shape if key else None
            for key in (node.at(node.data), node.at(node.kernel), node.outputs[0])
        )
        if node.op in OUTPUT_CHANNELS:
            return macs.convolution(output, kernel, OUTPUT_CHANNELS[node.op])
        if node.op in INPUT_CHANNELS:
            total = self._totals.get(node.at(node.data))
            return macs.transposed_convolution(total, kernel, INPUT_CHANNELS[node.op])
        return macs.matmul(output, data, transposed=self._transposes_data(operator))

    def _transposes_data(self, operator: Any) -> bool:
        table = operator.BuiltinOptions()
        if table is None:
            return False
        options = self._schema.BatchMatMulOptions()
        options.Init(table.Bytes, table.Pos)
        return bool(options.AdjX())


def _compute(wiring: Wiring, node: RawNode) -> Compute:
    if node.op in CONVERSIONS:
        return "conversion"
    if node.kernel is not None and node.at(node.kernel):
        kernel = node.at(node.kernel)
        stored = wiring.stored_dtype(kernel)
        return kernel_compute(wiring.dtype(node.at(node.data)), wiring.dtype(kernel), stored)
    results = [wiring.tensors[key] for key in node.outputs if key]
    if not results:
        return "other"
    return element_compute(results[0].dtype, results[0].quantization is not None)


def _quantization(parameters: Any, schema: Any) -> Quantization | None:
    if parameters is None:
        return None
    if parameters.DetailsType() == schema.QuantizationDetails.BlockwiseQuantization:
        return Quantization(0)
    scales = parameters.ScaleLength()
    if scales == 0:
        return None
    if scales > 1:
        return Quantization(scales, axis=parameters.QuantizedDimension())
    zero_point = parameters.ZeroPoint(0) if parameters.ZeroPointLength() else 0
    return Quantization(1, None, float(parameters.Scale(0)), int(zero_point))


def _names(enumeration: type) -> dict[int, str]:
    """Return the names of a generated enumeration by their numbers."""
    return {number: name for name, number in vars(enumeration).items() if isinstance(number, int)}


def _ints(vector: Any) -> tuple[int, ...]:
    """Return a flatbuffer's vector of integers, which is 0 if it is left out."""
    return tuple(int(value) for value in vector) if isinstance(vector, Iterable) else ()
