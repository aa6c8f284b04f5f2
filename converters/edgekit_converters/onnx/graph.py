"""Walking and editing ONNX graphs, bodies of loops and branches included."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from edgekit_converters.left import FloatConstant
from edgekit_runtimes.tensors import Array

# Constants of a graph and of those around it: name -> (TensorProto, the graph that holds it).
Scope = Mapping[str, tuple[Any, Any]]

KERNEL_OPS = frozenset({"Conv", "ConvTranspose", "MatMul", "Gemm"})
KERNEL_INPUT = 1

# Inputs that say what integers mean, which is no weight.
SCALES = frozenset({("QuantizeLinear", 1), ("DequantizeLinear", 1), ("MatMulNBits", 2)})


@dataclass(frozen=True)
class Layer:
    """A convolution or dense layer whose kernel is a constant.

    kernel: the TensorProto. owner: the graph that holds it, which may lie around the node's own.
    channel_axis: the axis of the kernel along which the output channels lie.
    in_loop: whether the node is in the body of a loop or a branch.
    """

    node: Any
    kernel: Any
    owner: Any
    channel_axis: int
    in_loop: bool


def bodies(node: Any) -> Iterator[Any]:
    """Yield the graphs that a node holds: the body of a loop, the branches of a condition."""
    for attribute in node.attribute:
        if attribute.type == onnx.AttributeProto.GRAPH:
            yield attribute.g
        yield from attribute.graphs


def graphs(graph: Any) -> Iterator[Any]:
    """Yield a graph and all graphs in it, the outermost first."""
    yield graph
    for node in graph.node:
        for body in bodies(node):
            yield from graphs(body)


def layers(graph: Any, around: Scope | None = None) -> Iterator[Layer]:
    """Yield the layers of a graph and of all graphs in it."""
    scope = {**(around or {}), **{tensor.name: (tensor, graph) for tensor in graph.initializer}}
    for node in graph.node:
        if node.op_type in KERNEL_OPS and node.input[KERNEL_INPUT] in scope:
            kernel, owner = scope[node.input[KERNEL_INPUT]]
            if kernel.data_type == onnx.TensorProto.FLOAT and len(kernel.dims) >= 2:
                yield Layer(node, kernel, owner, _channel_axis(node, kernel), around is not None)
        for body in bodies(node):
            yield from layers(body, scope)


def float_constants(graph: Any) -> list[FloatConstant]:
    """Return the float constants of a graph and of all graphs in it."""
    readers = defaultdict(list)
    for inner in graphs(graph):
        for node in inner.node:
            for place, name in enumerate(node.input):
                if (node.op_type, place) not in SCALES:
                    readers[name].append(node.op_type)
    return [
        FloatConstant(tuple(tensor.dims), tuple(readers[tensor.name]))
        for inner in graphs(graph)
        for tensor in inner.initializer
        if tensor.data_type == onnx.TensorProto.FLOAT and tensor.name in readers
    ]


def attribute_of(node: Any, name: str, default: Any) -> Any:
    """Return an attribute's value, or `default` where the node does not have it."""
    for attribute in node.attribute:
        if attribute.name == name:
            return onnx.helper.get_attribute_value(attribute)
    return default


def values_of(tensor: Any) -> Array:
    """Return the values of a TensorProto."""
    return np.asarray(numpy_helper.to_array(tensor))


def own_names(graph: Any) -> Iterator[str]:
    """Yield the names of the tensors that a graph itself defines: inputs, constants, results."""
    for value in graph.input:
        yield value.name
    for tensor in graph.initializer:
        yield tensor.name
    for node in graph.node:
        yield from (name for name in node.output if name)


def inputs_of(node: Any) -> set[str]:
    """Return the names that a node reads, those that its bodies read from outside included."""
    names = {name for name in node.input if name}
    for body in bodies(node):
        names |= {output.name for output in body.output}
        for inner in body.node:
            names |= inputs_of(inner)
    return names


def rename_reads(graph: Any, names: Mapping[str, str]) -> None:
    """Make the nodes of a graph, and of all graphs in it, read tensors under new names.

    Outputs of `graph` itself keep theirs.
    """
    for node in graph.node:
        for place, name in enumerate(node.input):
            node.input[place] = names.get(name, name)
        for body in bodies(node):
            own = set(own_names(body))
            outer = {old: new for old, new in names.items() if old not in own}
            rename_reads(body, outer)
            for output in body.output:
                output.name = outer.get(output.name, output.name)


def sort_nodes(graph: Any) -> None:
    """Put the nodes of a graph into an order in which each one comes after what it reads.

    onnxruntime reads any order; the ONNX standard asks for this one.
    """
    makers = {name: number for number, node in enumerate(graph.node) for name in node.output}
    needs = {
        number: sorted({makers[name] for name in inputs_of(node) if name in makers})
        for number, node in enumerate(graph.node)
    }
    nodes = [graph.node[number] for number in TopologicalSorter(needs).static_order()]
    del graph.node[:]
    graph.node.extend(nodes)


def drop_unread_constants(graph: Any) -> None:
    """Remove the constants that nothing reads from a graph and from all graphs in it."""
    for inner in graphs(graph):
        read = {output.name for output in inner.output}
        for node in inner.node:
            read |= inputs_of(node)
        kept = [tensor for tensor in inner.initializer if tensor.name in read]
        del inner.initializer[:]
        inner.initializer.extend(kept)


def use_contrib_ops(model: Any) -> None:
    """Declare that the model uses onnxruntime's own operators."""
    if all(opset.domain != "com.microsoft" for opset in model.opset_import):
        model.opset_import.append(onnx.helper.make_opsetid("com.microsoft", 1))


def _channel_axis(node: Any, kernel: Any) -> int:
    if node.op_type == "Conv":
        return 0
    if node.op_type == "ConvTranspose":
        return 1
    if node.op_type == "Gemm":
        return 0 if attribute_of(node, "transB", 0) else 1
    return len(kernel.dims) - 1
