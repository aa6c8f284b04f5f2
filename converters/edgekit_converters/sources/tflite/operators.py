"""Operators of TFLite that tf2onnx leaves as they are, in operators of ONNX."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

# How tf2onnx calls an operator of TFLite that it cannot turn into one of ONNX.
PREFIX = "TFL_"


class _Writer:
    """Writes the nodes that replace one."""

    def __init__(self, graph: Any, node: Any, number: int) -> None:
        self._graph = graph
        self._name = f"replaced_{number}"
        self.nodes: list[Any] = []
        self.node = node

    def add(self, op: str, *inputs: str | float, last: bool = False) -> str:
        """Add a node and return its output; numbers become constants. last: it is the result."""
        names = [one if isinstance(one, str) else self._constant(one) for one in inputs]
        output = self.node.output[0] if last else f"{self._name}_{len(self.nodes)}"
        self.nodes.append(onnx.helper.make_node(op, names, [output], f"{output}_{op}"))
        return output

    def _constant(self, value: float) -> str:
        name = f"{self._name}_{value}"
        if name not in (tensor.name for tensor in self._graph.initializer):
            tensor = numpy_helper.from_array(np.array(value, np.float32), name)
            self._graph.initializer.append(tensor)
        return name


def _gelu(writer: _Writer, x: str) -> None:
    if any(one.name == "approximate" and one.i for one in writer.node.attribute):
        cube = writer.add("Mul", writer.add("Mul", x, x), x)
        inner = writer.add("Add", x, writer.add("Mul", cube, 0.044715))
        bent = writer.add("Tanh", writer.add("Mul", inner, math.sqrt(2 / math.pi)))
    else:
        bent = writer.add("Erf", writer.add("Mul", x, math.sqrt(0.5)))
    half = writer.add("Mul", x, 0.5)
    writer.add("Mul", half, writer.add("Add", bent, 1.0), last=True)


def _clip(low: float, high: float) -> Callable[[_Writer, str], None]:
    def clip(writer: _Writer, x: str) -> None:
        writer.add("Clip", x, low, high, last=True)

    return clip


RULES: dict[str, Callable[[_Writer, str], None]] = {
    "GELU": _gelu,
    "RELU_0_TO_1": _clip(0.0, 1.0),
    "RELU_N1_TO_1": _clip(-1.0, 1.0),
}


def replace_operators(graph: Any) -> None:
    """Write the operators that are known here in operators of ONNX, in their places."""
    nodes = list(graph.node)
    del graph.node[:]
    for number, node in enumerate(nodes):
        graph.node.extend(_replaced(graph, node, number))


def _replaced(graph: Any, node: Any, number: int) -> Iterator[Any]:
    rule = RULES.get(node.op_type.removeprefix(PREFIX))
    if rule is None or not node.op_type.startswith(PREFIX):
        yield node
        return
    writer = _Writer(graph, node, number)
    rule(writer, node.input[0])
    yield from writer.nodes
