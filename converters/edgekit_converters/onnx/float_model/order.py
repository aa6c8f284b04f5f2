"""Inputs and outputs in the source's order of axes, without a Transpose where there was one.

tf2onnx turns channels last into ONNX's channels first right after an input, and back before an
output. Where the source was channels first, both of its tensors are what the user expects.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import onnx

from edgekit_runtimes.reordered import inverse

Order = Sequence[int]


def keep_source_axes(model: onnx.ModelProto, axes: Mapping[str, Order]) -> None:
    """Give the named inputs and outputs of a model the source's order of axes.

    axes: axis k of the source's tensor is axis axes[name][k] of the model's.
    """
    for value in model.graph.input:
        if value.name in axes:
            _reorder_input(model.graph, value, axes[value.name])
    for value in model.graph.output:
        if value.name in axes:
            _reorder_output(model.graph, value, axes[value.name])


def _reorder_input(graph: Any, value: Any, order: Order) -> None:
    name = value.name
    _permute(value, order)
    turning = [node for node in graph.node if list(node.input) == [name] and _turns(node, order)]
    others = [node for node in graph.node if node not in turning]
    turned = f"{name}/channels_last"
    if _read_instead(name, turned, others):
        graph.node.insert(0, _transpose(name, turned, inverse(order)))
    for node in turning:
        graph.node.remove(node)
        _pass_on(graph, node.output[0], name)


def _reorder_output(graph: Any, value: Any, order: Order) -> None:
    name = value.name
    _permute(value, order)
    maker = next(node for node in graph.node if name in node.output)
    is_read = any(name in node.input for node in graph.node)
    source = maker.input[0] if maker.input else ""
    own = {tensor for node in graph.node for tensor in node.output}
    others = {output.name for output in graph.output}
    if _turns(maker, inverse(order)) and not is_read and source in own and source not in others:
        graph.node.remove(maker)
        for node in graph.node:
            node.output[:] = [name if tensor == source else tensor for tensor in node.output]
            node.input[:] = [name if tensor == source else tensor for tensor in node.input]
        _forget(graph, source)
        return
    turned = f"{name}/channels_last"
    maker.output[:] = [turned if tensor == name else tensor for tensor in maker.output]
    _read_instead(name, turned, graph.node)
    _forget(graph, name)
    graph.node.append(_transpose(turned, name, order))


def _turns(node: Any, order: Order) -> bool:
    """Whether a node is a Transpose into this order."""
    if node.op_type != "Transpose":
        return False
    return [list(entry.ints) for entry in node.attribute if entry.name == "perm"] == [list(order)]


def _transpose(source: str, target: str, order: Order) -> Any:
    return onnx.helper.make_node("Transpose", [source], [target], target, perm=list(order))


def _pass_on(graph: Any, name: str, instead: str) -> None:
    """Let all that read a tensor read another one; outputs keep their names."""
    if name in {output.name for output in graph.output}:
        graph.node.append(onnx.helper.make_node("Identity", [instead], [name], name))
        return
    _read_instead(name, instead, graph.node)
    _forget(graph, name)


def _read_instead(name: str, instead: str, nodes: Any) -> bool:
    """Let nodes, and those in their bodies, read another tensor; return whether any did."""
    found = False
    for node in nodes:
        found |= name in node.input
        node.input[:] = [instead if tensor == name else tensor for tensor in node.input]
        for entry in node.attribute:
            if entry.HasField("g"):
                found |= _read_instead(name, instead, entry.g.node)
    return found


def _forget(graph: Any, name: str) -> None:
    """Drop what the graph says of a tensor that has another shape now, or is gone."""
    for entry in [entry for entry in graph.value_info if entry.name == name]:
        graph.value_info.remove(entry)


def _permute(value: Any, order: Order) -> None:
    sizes = list(value.type.tensor_type.shape.dim)
    del value.type.tensor_type.shape.dim[:]
    value.type.tensor_type.shape.dim.extend(sizes[axis] for axis in order)
