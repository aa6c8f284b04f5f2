"""The float TFLite file with a switch at each tensor that int8 rounds.

Behind each such tensor x stands x + switch * (dequantized(quantized(x)) - x), with the scale that
the quantizer gave it, and the switch is an input of the graph: one file, loaded once, answers for
any choice. The weights are those of the int8 file.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from edgekit_converters.graph.frozen import SIGNATURE_KEY
from edgekit_converters.mixed.net import Net, Operator
from edgekit_converters.tflite.engine import THREADS
from edgekit_converters.tflite.rest import KERNELS, NAMES
from edgekit_converters.tflite.tree import ABSENT, Tree, shape_of
from edgekit_runtimes.tensors import Array, Arrays

_Builtin = schema.BuiltinOperator
_Type = schema.TensorType

# What the quantizer appends to the name of a tensor that it makes integers of.
MADE_BY_QUANTIZER = "_quantized"
OFF, ON = np.zeros(1, np.float32), np.ones(1, np.float32)


class SimulatedTflite:
    """A float file that computes as an int8 one made of it would, tensor by tensor.

    constants: those that are as int8 holds them; None for all of them.
    """

    def __init__(
        self,
        float_model: bytes,
        quantized: bytes,
        constants: AbstractSet[str] | None = None,
    ) -> None:
        whole = Tree(quantized)
        tree = Tree(float_model)
        integers = _integers(whole)
        self.net = _net(tree, integers)
        _set_weights(tree, whole, constants)
        switches = _add_switches(tree, integers, self.net.rounded)
        interpreter: Any = Interpreter(model_content=tree.content(), num_threads=THREADS)
        interpreter.allocate_tensors()
        signature = interpreter.get_signature_runner(SIGNATURE_KEY)
        self._inputs = {
            name: details["index"]
            for name, details in signature.get_input_details().items()
            if name not in switches.values()
        }
        self._outputs = {
            name: details["index"] for name, details in signature.get_output_details().items()
        }
        places = {entry["name"]: entry["index"] for entry in interpreter.get_input_details()}
        self._switches = {name: places[switch] for name, switch in switches.items()}
        for place in self._switches.values():
            interpreter.set_tensor(place, OFF)
        self._on: frozenset[str] = frozenset()
        self._interpreter = interpreter

    def run(self, sample: Arrays, rounded: AbstractSet[str]) -> Arrays:
        """Return the outputs for one sample with these tensors rounded."""
        for name in self._on ^ rounded:
            self._interpreter.set_tensor(self._switches[name], ON if name in rounded else OFF)
        self._on = frozenset(rounded)
        for name, place in self._inputs.items():
            self._interpreter.set_tensor(place, sample[name])
        self._interpreter.invoke()
        return {
            name: self._interpreter.get_tensor(place).copy()
            for name, place in self._outputs.items()
        }


def operator_name(subgraph: Any, operator: Any) -> str:
    """Return the name of an operator: that of the tensor that it makes first."""
    return str(subgraph.tensors[operator.outputs[0]].name.decode())


def _integers(whole: Tree) -> dict[str, Any]:
    """Return the quantization of each tensor that is computed in int8, by its name."""
    found = {}
    (subgraph,) = whole.model.subgraphs
    made = {output for operator in subgraph.operators for output in operator.outputs}
    for number, tensor in enumerate(subgraph.tensors):
        if tensor.type == _Type.INT8 and number in made | {*subgraph.inputs}:
            found[tensor.name.decode().removesuffix(MADE_BY_QUANTIZER)] = tensor.quantization
    return found


def _net(tree: Tree, integers: dict[str, Any]) -> Net:
    (subgraph,) = tree.model.subgraphs
    names = [tensor.name.decode() for tensor in subgraph.tensors]
    operators = []
    for operator in subgraph.operators:
        code = tree.code(operator)
        inputs = [place for place in operator.inputs if place != ABSENT]
        macs = kernel = 0
        for place, number in enumerate(operator.inputs):
            axis = KERNELS.get((code, place))
            values = None if axis is None else tree.values(subgraph.tensors[number])
            if axis is not None and values is not None:
                kernel = values.size
                made = shape_of(subgraph.tensors[operator.outputs[0]])
                macs = int(np.prod(made)) * kernel // values.shape[axis]
        operators.append(
            Operator(
                operator_name(subgraph, operator),
                NAMES[code],
                tuple(names[place] for place in inputs),
                tuple(names[place] for place in operator.outputs),
                macs,
                kernel,
                tuple(names[place] for place in inputs if subgraph.tensors[place].buffer > 0),
            )
        )
    rounded = {
        name: int(np.prod(shape_of(tensor), dtype=int))
        for name, tensor in zip(names, subgraph.tensors, strict=True)
        if tensor.type == _Type.FLOAT32 and name in integers
    }
    ends = {names[place] for place in (*subgraph.inputs, *subgraph.outputs)}
    return Net(tuple(operators), rounded, frozenset(ends & rounded.keys()))


def _set_weights(tree: Tree, whole: Tree, wanted: AbstractSet[str] | None) -> None:
    """Give the float file the weights of the int8 one."""
    (subgraph,) = whole.model.subgraphs
    stored = {tensor.name: tensor for tensor in subgraph.tensors if tensor.type == _Type.INT8}
    for tensor in tree.model.subgraphs[0].tensors:
        values = tree.values(tensor) if tensor.type == _Type.FLOAT32 else None
        is_wanted = wanted is None or tensor.name.decode() in wanted
        if values is not None and is_wanted and tensor.name in stored:
            found = _dequantized(whole, stored[tensor.name])
            if found is not None and found.shape == values.shape:
                tensor.buffer = tree.add_buffer(found)


def _dequantized(whole: Tree, tensor: Any) -> Array | None:
    integers, settings = whole.values(tensor), tensor.quantization
    if integers is None:
        return None
    along = [1] * integers.ndim
    if len(settings.scale) > 1:
        along[settings.quantizedDimension] = len(settings.scale)
    scale = np.asarray(settings.scale, np.float32).reshape(along)
    zero = np.asarray(settings.zeroPoint, np.float32).reshape(along)
    return np.asarray((integers.astype(np.float32) - zero) * scale)


def _add_switches(tree: Tree, integers: dict[str, Any], rounded: Iterable[str]) -> dict[str, str]:
    """Put a switch behind each rounded tensor; return the names of the switches' inputs."""
    (subgraph,) = tree.model.subgraphs
    signature = tree.model.signatureDefs[0]
    numbers = {tensor.name.decode(): place for place, tensor in enumerate(subgraph.tensors)}
    makers = {output: one for one in subgraph.operators for output in one.outputs}
    readers = tree.readers(subgraph)
    switches = {}
    for name in rounded:
        number = numbers[name]
        switch = tree.add_tensor(subgraph, f"{name}/switch", [1], _Type.FLOAT32)
        switches[name] = subgraph.tensors[switch].name.decode()
        subgraph.inputs = [*subgraph.inputs, switch]
        signature.inputs.append(schema.TensorMapT(name=switches[name].encode(), tensorIndex=switch))
        chain, result = _switched(tree, number, switch, integers[name])
        for reader, place in readers.get(number, ()):
            reader.inputs[place] = result
        for entry in signature.outputs:
            if entry.tensorIndex == number:
                entry.tensorIndex = result
        subgraph.outputs = [result if one == number else one for one in subgraph.outputs]
        maker = makers.get(number)
        after = 0 if maker is None else _place(subgraph.operators, maker) + 1
        subgraph.operators[after:after] = chain
    return switches


def _switched(tree: Tree, number: int, switch: int, settings: Any) -> tuple[list[Any], int]:
    """Return the operators that round a tensor where its switch is on, and what they make."""
    (subgraph,) = tree.model.subgraphs
    tensor = subgraph.tensors[number]
    shape, free = shape_of(tensor), tensor.shapeSignature

    def made(suffix: str, kind: int = _Type.FLOAT32) -> int:
        return tree.add_tensor(subgraph, f"{tensor.name.decode()}/{suffix}", shape, kind, free)

    small = made("small", _Type.INT8)
    subgraph.tensors[small].quantization = settings
    back, error, switched, result = map(made, ("back", "error", "switched", "result"))
    return [
        tree.operator(_Builtin.QUANTIZE, [number], small),
        tree.operator(_Builtin.DEQUANTIZE, [small], back),
        tree.operator(_Builtin.SUB, [back, number], error, schema.SubOptionsT()),
        tree.operator(_Builtin.MUL, [error, switch], switched, schema.MulOptionsT()),
        tree.operator(_Builtin.ADD, [number, switched], result, schema.AddOptionsT()),
    ], result


def _place(operators: list[Any], wanted: Any) -> int:
    return next(place for place, one in enumerate(operators) if one is wanted)
