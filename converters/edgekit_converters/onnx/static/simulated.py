"""The float model with a switch at each tensor that int8 rounds, as in `tflite.simulated`."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit_converters.mixed.net import Net, Operator
from edgekit_converters.onnx.graph import layers, values_of
from edgekit_converters.onnx.static.engine import session_of
from edgekit_runtimes.tensors import Array, Arrays

SCALE = "_scale"
OFF, ON = np.zeros(1, np.float32), np.ones(1, np.float32)


class SimulatedOnnx:
    """A float model that computes as an int8 one made of it would, tensor by tensor.

    Its nodes have names. kept: the constants that are as int8 holds them; None for all of them.
    """

    def __init__(
        self,
        float_model: onnx.ModelProto,
        quantized: onnx.ModelProto,
        kept: AbstractSet[str] | None = None,
    ) -> None:
        constants = {tensor.name: tensor for tensor in quantized.graph.initializer}
        self.net = net_of(float_model, quantized)
        model = onnx.ModelProto()
        model.CopyFrom(float_model)
        _set_weights(model.graph, quantized.graph, constants, kept)
        for name in self.net.rounded:
            _add_switch(model.graph, name, constants)
        self._session = session_of(model, keep_roundings=True)
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._inputs = [entry.name for entry in float_model.graph.input]

    def run(self, sample: Arrays, rounded: AbstractSet[str]) -> Arrays:
        """Return the outputs for one sample with these tensors rounded."""
        feeds = {name: sample[name] for name in self._inputs}
        for name in self.net.rounded:
            feeds[f"{name}/switch"] = ON if name in rounded else OFF
        return dict(zip(self._outputs, self._session.run(None, feeds), strict=True))


def net_of(float_model: onnx.ModelProto, quantized: onnx.ModelProto) -> Net:
    """Return the nodes of a float model, and the tensors that an int8 one rounds."""
    graph = float_model.graph
    values = {value.name: value for value in (*graph.value_info, *graph.input, *graph.output)}
    elements = {name: _elements(value) for name, value in values.items()}
    made = {name for node in graph.node for name in node.output} | {
        entry.name for entry in graph.input
    }
    kernels = {
        layer.node.name: (layer.kernel.dims, layer.channel_axis)
        for layer in layers(graph)
        if not layer.in_loop
    }
    operators = []
    for node in graph.node:
        kernel = macs = 0
        if node.name in kernels:
            dims, axis = kernels[node.name]
            kernel = int(np.prod(dims))
            macs = elements.get(node.output[0], 1) * kernel // dims[axis]
        reads = tuple(name for name in node.input if name in made)
        operators.append(
            Operator(
                node.name,
                node.op_type,
                reads,
                tuple(node.output),
                macs,
                kernel,
                tuple(name for name in node.input if name and name not in made),
            )
        )
    scales = {
        node.input[1].removesuffix(SCALE)
        for node in quantized.graph.node
        if node.op_type == "QuantizeLinear"
    }
    rounded = {name: elements.get(name, 1) for name in sorted(scales & made)}
    ends = {entry.name for entry in (*graph.input, *graph.output)} & rounded.keys()
    return Net(tuple(operators), rounded, frozenset(ends))


def _elements(value: Any) -> int:
    """Return how many elements a tensor has for one sample."""
    return int(np.prod([max(dim.dim_value, 1) for dim in value.type.tensor_type.shape.dim]))


def _set_weights(
    graph: Any, quantized: Any, constants: dict[str, Any], kept: AbstractSet[str] | None
) -> None:
    """Give the float model the weights of the int8 one."""
    floats = {tensor.name: tensor for tensor in graph.initializer}
    for node in quantized.node:
        if node.op_type != "DequantizeLinear" or node.input[0] not in constants:
            continue
        tensor = floats.get(node.input[1].removesuffix(SCALE))
        if tensor is None or (kept is not None and tensor.name not in kept):
            continue
        parts = [values_of(constants[name]) for name in node.input]
        axis = next((one.i for one in node.attribute if one.name == "axis"), 1)
        found = _dequantized(parts, axis)
        if found.shape == tuple(tensor.dims):
            tensor.CopyFrom(numpy_helper.from_array(found, tensor.name))


def _dequantized(parts: list[Array], axis: int) -> Array:
    integers, scale, *rest = parts
    zero = rest[0] if rest else np.zeros_like(scale)
    if scale.size > 1:
        along = [1] * integers.ndim
        along[axis] = -1
        scale, zero = scale.reshape(along), zero.reshape(along)
    return np.asarray((integers.astype(np.float32) - zero.astype(np.float32)) * scale, np.float32)


def _add_switch(graph: Any, name: str, constants: dict[str, Any]) -> None:
    """Let what reads a tensor read it rounded where its switch is on."""
    scale, zero, switch = f"{name}{SCALE}", f"{name}_zero_point", f"{name}/switch"
    known = {tensor.name for tensor in graph.initializer}
    for constant in (scale, zero):
        if constant not in known:
            graph.initializer.append(constants[constant])
    graph.input.append(onnx.helper.make_tensor_value_info(switch, onnx.TensorProto.FLOAT, [1]))
    is_input = any(entry.name == name for entry in graph.input)
    source, result = (name, f"{name}/result") if is_input else (f"{name}/plain", name)
    at = 0
    for place, node in enumerate(graph.node):
        if name in node.output:
            node.output[list(node.output).index(name)] = source
            at = place + 1
        if is_input:
            for number, read in enumerate(node.input):
                if read == name:
                    node.input[number] = result
    small, back, error, switched = (f"{name}/{one}" for one in ("small", "back", "error", "on"))
    make = onnx.helper.make_node
    chain = [
        make("QuantizeLinear", [source, scale, zero], [small]),
        make("DequantizeLinear", [small, scale, zero], [back]),
        make("Sub", [back, source], [error]),
        make("Mul", [error, switch], [switched]),
        make("Add", [source, switched], [result]),
    ]
    nodes = list(graph.node)
    nodes[at:at] = chain
    del graph.node[:]
    graph.node.extend(nodes)
