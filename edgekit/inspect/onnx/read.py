"""Reading a .onnx file. Needs the `onnx` package, for its shape inference too."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edgekit.inspect import macs
from edgekit.inspect.compute import element_compute, kernel_compute
from edgekit.inspect.model import Compute, Graph, Quantization, Shape, Tensor
from edgekit.inspect.onnx.operators import (
    CONTRIB_DOMAINS,
    CONVERSIONS,
    CONVOLUTIONS,
    FREE_CONTRIB,
    KERNELS,
    OWN_DOMAINS,
    RECURRENT,
    SCALES,
    UNCOUNTED,
)
from edgekit.inspect.wiring import RawNode, Wiring
from edgekit_runtimes.errors import ArtifactError, MissingExtraError, map_exceptions

# The value of MatMulNBits' attribute accuracy_level that quantizes the activations to int8.
# https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md
INT8_ACTIVATIONS = 4
# Shape inference reads the values of small constants only: shapes, axes, ends of slices. Without
# the large ones it is faster, and not limited to 2 GB.
LARGEST_READ = 1024


def read_onnx(path: Path) -> Graph:
    """Return the graph of a .onnx file.

    Raises ArtifactError if it is damaged, MissingExtraError without the `onnx` package.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtraError("Reading the nodes of a .onnx file", "convert") from error
    with map_exceptions(f"{path} is damaged", ArtifactError):
        model = onnx.load(path, load_external_data=False)
        return _File(model, onnx).graph()


class _File:
    """One file, which is changed on the way: free batch sizes become 1, large constants go."""

    def __init__(self, model: Any, onnx: Any) -> None:
        self._onnx = onnx
        self._model = model
        self._tensors: dict[str, Tensor] = {}
        self._nodes: list[tuple[Any, bool]] = []

    def graph(self) -> Graph:
        """Return the graph, the main one's nodes first."""
        _set_batch_to_one(self._model.graph)
        self._collect(self._model.graph, in_body=False)
        self._model = self._with_shapes()
        for graph in _graphs(self._model.graph, self._onnx):
            for value in (*graph.input, *graph.value_info, *graph.output):
                if value.name not in self._tensors and value.type.HasField("tensor_type"):
                    self._tensors[value.name] = self._tensor(value)
        nodes = [self._node(node, in_body) for node, in_body in self._nodes]
        for node in nodes:
            for key in (*node.inputs, *node.outputs):
                if key:
                    self._tensors.setdefault(key, Tensor(_text(key), None, "unknown"))
        return Wiring(self._tensors, nodes).graph(_compute)

    def _collect(self, graph: Any, in_body: bool) -> None:
        """Note nodes and constants, a body's after those of the graph around it."""
        for tensor in graph.initializer:
            self._take_constant(tensor.name, tensor)
        bodies = []
        for node in graph.node:
            value = _attribute(node, "value", self._onnx) if node.op_type == "Constant" else None
            if value is not None:
                self._take_constant(node.output[0], value)
            elif node.op_type != "Constant":
                copy = self._onnx.NodeProto()
                copy.CopyFrom(node)
                self._nodes.append((copy, in_body))
            bodies += list(_bodies(node, self._onnx))
        for body in bodies:
            self._collect(body, in_body=True)

    def _take_constant(self, name: str, tensor: Any) -> None:
        """Note a constant, and drop its values if nothing needs them."""
        shape = tuple(tensor.dims)
        dtype = self._dtype(tensor.data_type)
        self._tensors[name] = Tensor(_text(name), shape, dtype, bytes=self._stored_bytes(tensor))
        if (macs.elements(shape) or 0) > LARGEST_READ:
            for field in ("raw_data", "float_data", "int32_data", "int64_data", "double_data"):
                tensor.ClearField(field)

    def _stored_bytes(self, tensor: Any) -> int:
        if tensor.HasField("raw_data"):
            return len(tensor.raw_data)
        # Values in typed fields or in another file: what they take as such.
        count = macs.elements(tuple(tensor.dims)) or 0
        if self._dtype(tensor.data_type) in ("int4", "uint4"):
            return -(-count // 2)
        return count * int(self._onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize)

    def _with_shapes(self) -> Any:
        """Return the model with the shapes of all tensors that can be worked out."""
        for graph in _graphs(self._model.graph, self._onnx):
            for node in graph.node:
                if node.op_type == "MatMulNBits":
                    self._stand_in(graph, node)
        # It raises on operators that contradict the standard, which engines may run nevertheless.
        with contextlib.suppress(Exception):
            return self._onnx.shape_inference.infer_shapes(self._model, data_prop=True)
        return self._model

    def _stand_in(self, graph: Any, node: Any) -> None:
        """Replace a MatMulNBits by a MatMul, whose shapes onnx cannot infer."""
        sizes = [_attribute(node, name, self._onnx) for name in ("K", "N")]
        kernel = f"{node.output[0]}/kernel"
        graph.initializer.append(
            self._onnx.TensorProto(name=kernel, dims=sizes, data_type=self._onnx.TensorProto.FLOAT)
        )
        node.CopyFrom(
            self._onnx.helper.make_node("MatMul", [node.input[0], kernel], list(node.output))
        )

    def _tensor(self, value: Any) -> Tensor:
        stated = value.type.tensor_type
        shape: Shape | None = None
        if stated.HasField("shape"):
            shape = tuple(
                int(axis.dim_value) if axis.HasField("dim_value") else None
                for axis in stated.shape.dim
            )
        return Tensor(_text(value.name), shape, self._dtype(stated.elem_type))

    def _dtype(self, number: int) -> str:
        name = str(self._onnx.TensorProto.DataType.Name(number)).lower()
        return {"float": "float32", "double": "float64"}.get(name, name)

    def _node(self, node: Any, in_body: bool) -> RawNode:
        op = node.op_type
        data, kernel = KERNELS.get(op, (0, None))
        if op in ("QuantizeLinear", "DequantizeLinear"):
            self._quantize(node)
        if op == "MatMulNBits":
            self._unpack(node)
        return RawNode(
            op=_text(op),
            inputs=tuple(node.input),
            outputs=tuple(node.output),
            macs=self._macs(node, in_body),
            data=data,
            kernel=kernel,
            scales=SCALES.get(op, ()),
            in_body=in_body,
        )

    def _quantize(self, node: Any) -> None:
        """Give the quantized side of a conversion its scale."""
        key = node.input[0] if node.op_type == "DequantizeLinear" else node.output[0]
        tensor, scale = (self._tensors.get(name) for name in (key, node.input[1]))
        if tensor is None or scale is None or tensor.quantization:
            return
        count = macs.elements(scale.shape) or 0
        axis = _attribute(node, "axis", self._onnx)
        self._tensors[key] = Tensor(
            tensor.name,
            tensor.shape,
            tensor.dtype,
            Quantization(count, None if count == 1 else 1 if axis is None else axis),
            tensor.stored,
            tensor.bytes,
        )

    def _unpack(self, node: Any) -> None:
        """Say what the packed kernel of a MatMulNBits is: N rows of K numbers of a few bits."""
        inputs, outputs, bits = (
            int(_attribute(node, name, self._onnx) or 4) for name in ("K", "N", "bits")
        )
        packed = self._tensors.get(node.input[1])
        if packed:
            scales = self._tensors.get(node.input[2])
            count = macs.elements(scales.shape) if scales else None
            level = _attribute(node, "accuracy_level", self._onnx)
            self._tensors[node.input[1]] = Tensor(
                packed.name,
                (outputs, inputs),
                # At other levels the engine expands the weights instead.
                f"uint{bits}" if level == INT8_ACTIVATIONS else "float32",
                Quantization(count or 0),
                stored=f"uint{bits}",
                bytes=packed.bytes,
            )

    def _macs(self, node: Any, in_body: bool) -> int | None:
        op, domain = node.op_type, node.domain
        is_own = domain in OWN_DOMAINS and op not in UNCOUNTED
        if op not in KERNELS:
            is_free = is_own or (domain in CONTRIB_DOMAINS and op in FREE_CONTRIB)
            return 0 if is_free else None
        if in_body or not (is_own or domain in CONTRIB_DOMAINS):
            return None
        data, kernel = (
            self._shape(node.input[place]) if place < len(node.input) else None
            for place in KERNELS[op]
        )
        output = self._shape(node.output[0])
        if op in CONVOLUTIONS:
            return macs.convolution(output, kernel, (0,))
        if op == "ConvTranspose":
            return macs.transposed_convolution(macs.elements(data), kernel, 0)
        if op in RECURRENT:
            layout = _attribute(node, "layout", self._onnx)
            steps = None if data is None or not data else data[1 if layout else 0]
            return macs.recurrent(steps, [kernel, self._shape(node.input[2])])
        return macs.matmul(output, data, bool(_attribute(node, "transA", self._onnx)))

    def _shape(self, key: str) -> Shape | None:
        return self._tensors[key].shape if key in self._tensors else None


def _compute(wiring: Wiring, node: RawNode) -> Compute:
    if node.op in CONVERSIONS:
        return "conversion"
    if node.op == "DynamicQuantizeMatMul":
        return "int8-dynamic"
    data, kernel = node.at(node.data), node.at(node.kernel)
    if kernel and node.op in ("MatMulInteger", "MatMulIntegerToFloat", "ConvInteger"):
        maker = wiring.maker(data)
        return "int8-dynamic" if maker and maker.op == "DynamicQuantizeLinear" else "int8"
    between = _between_integers(wiring, node)
    if between:
        return element_compute(between, is_quantized=True)
    if kernel:
        stored = wiring.stored_dtype(kernel)
        return kernel_compute(wiring.dtype(data), wiring.dtype(kernel), stored)
    results = [wiring.tensors[key] for key in node.outputs if key in wiring.tensors]
    dtype = results[0].dtype if results else ""
    return element_compute(dtype, is_quantized=node.op.startswith("Q") and "int" in dtype)


def _between_integers(wiring: Wiring, node: RawNode) -> str:
    """Return the integers' dtype if a node is between dequantizing and quantizing; or "".

    That is how ONNX writes an integer operator (QDQ): engines fuse the three into one.
    """
    makers = [wiring.maker(key) for key in node.inputs if key and not wiring.is_constant(key)]
    readers = [reader for key in node.outputs for reader in wiring.readers(key)]
    if not makers or any(maker is None or maker.op != "DequantizeLinear" for maker in makers):
        return ""
    stays = bool(readers) and all(reader.op == "QuantizeLinear" for reader in readers)
    # onnxruntime has integer products with a float result, but not such a convolution.
    if not stays and node.op not in ("MatMul", "Gemm"):
        return ""
    if node.kernel is not None and "int" not in wiring.stored_dtype(node.at(node.kernel)):
        return ""
    return next(wiring.dtype(maker.at(0)) for maker in makers if maker)


def _text(name: str | bytes) -> str:
    """Return a name as text: of a damaged file protobuf gives bytes."""
    return name if isinstance(name, str) else name.decode("utf-8", "replace")


def _set_batch_to_one(graph: Any) -> None:
    """Set the free first sizes of the inputs, and all sizes of the same name, to 1."""
    names = set()
    constants = {tensor.name for tensor in graph.initializer}
    inputs = [value for value in graph.input if value.name not in constants]
    for value in inputs:
        axes = value.type.tensor_type.shape.dim
        if axes and not axes[0].HasField("dim_value"):
            names.add(axes[0].dim_param)
            axes[0].dim_value = 1
    for value in (*inputs, *graph.value_info, *graph.output):
        for axis in value.type.tensor_type.shape.dim:
            if axis.dim_param and axis.dim_param in names:
                axis.dim_value = 1


def _graphs(graph: Any, onnx: Any) -> Iterator[Any]:
    """Yield a graph and all graphs in it, the outermost first."""
    yield graph
    for node in graph.node:
        for body in _bodies(node, onnx):
            yield from _graphs(body, onnx)


def _bodies(node: Any, onnx: Any) -> Iterable[Any]:
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def _attribute(node: Any, name: str, onnx: Any) -> Any:
    """Return an attribute's value, or None if the node does not have it."""
    for attribute in node.attribute:
        if attribute.name == name:
            return onnx.helper.get_attribute_value(attribute)
    return None
