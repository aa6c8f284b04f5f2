"""A graph whose tensors are scaled channel by channel, and which computes the same."""

from __future__ import annotations

from typing import Any

import numpy as np

from edgekit_converters.graph.affine import Affine, affine_of
from edgekit_converters.graph.edit import EditableGraph
from edgekit_converters.graph.fold import fold_constants
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.shapes import Shapes, infer_shapes
from edgekit_converters.quantize.channels import Channels
from edgekit_converters.quantize.kernels import Kernel, find_kernels
from edgekit_runtimes.tensors import Array


class Scalable:
    """A graph being edited, with its kernels and what may be scaled in it."""

    def __init__(self, frozen: FrozenGraph) -> None:
        folded = fold_constants(frozen)
        self.graph = EditableGraph(folded)
        self.shapes = dict(infer_shapes(folded))
        _name_sizes(self.graph, self.shapes)
        self.kernels = find_kernels(self.graph, self.shapes)
        self._changed: set[str] = set()

    def channels(self) -> Channels:
        """Return which channels have one scale, in the graph as it is now."""
        return Channels(self.graph, self.shapes, self.kernels)

    def affine(self, node: Any) -> Affine | None:
        """Return what a node does to each channel, None where it does anything else."""
        return affine_of(self.graph, node, self.shapes)

    def source(self, node: Any) -> str:
        """Return the tensor that an affine node changes."""
        return next(str(name) for name in node.input if self.graph.constant(name) is None)

    def change(self, kernel: Kernel) -> Kernel:
        """Return a kernel that will be stored anew."""
        self._changed.add(kernel.node.name)
        return kernel

    def rescale(self, channels: Channels, scales: Array) -> None:
        """Divide each channel by its scale. scales: by number; 1 for FIXED."""
        found = []
        for node in self.graph:
            affine = None if node.name in self.kernels else self.affine(node)
            if affine is not None or node.name in self.kernels:
                source = affine.source if affine is not None else node.input[0]
                before, after = (scales[channels.of(name)] for name in (source, node.name))
                if (before != 1).any() or (after != 1).any():
                    found.append((node, affine, before, after))
        # Trap: what is taken out on the way changes what the next node reads.
        for node, affine, before, after in found:
            if affine is None:
                kernel = self.change(self.kernels[node.name])
                kernel.scale_inputs(before)
                kernel.scale_outputs(1 / after)
            else:
                scale, offset = affine.scale * before / after, affine.offset / after
                self.put(node, self.source(node), scale, offset)

    def put(self, node: Any, source: str, scale: Array, offset: Array) -> None:
        """Make a node x * scale + offset, or nothing at all where it is x."""
        graph, dtype = self.graph, node.attr["T"].type
        # Numbers that should be 1 are a few roundings beside it.
        has_scale = bool((np.abs(scale - 1) > 1e-12).any())
        if has_scale and offset.any():
            factor = graph.add_constant(f"{node.name}/scale", scale.astype(np.float32))
            source = graph.add("Mul", f"{node.name}/mul", [source, factor], T=dtype)
            self.shapes[source] = self.shapes[node.name]
        if not has_scale and not offset.any():
            graph.bypass(node, source)
            return
        added = offset.any()
        vector = (offset if added else scale).astype(np.float32)
        constant = graph.add_constant(f"{node.name}/{'offset' if added else 'scale'}", vector)
        node.op = "AddV2" if added else "Mul"
        if added and self._is_kernel(source):
            node.op = "BiasAdd"
        node.ClearField("attr")
        node.attr["T"].type = dtype
        graph.set_inputs(node, [source, constant])

    def add_bias(self, kernel: Kernel, bias: Array) -> None:
        """Add to what a kernel gives. bias: [outputs]."""
        if not bias.any():
            return
        node, graph = kernel.node, self.graph
        user = graph.only_user(node.name)
        affine = self.affine(user) if user is not None else None
        if affine is not None and (affine.scale == 1).all():
            self.put(user, node.name, affine.scale, affine.offset + bias)
            return
        constant = graph.add_constant(f"{node.name}/bias", bias.astype(np.float32))
        added = graph.add("BiasAdd", f"{node.name}/biased", [constant], T=node.attr["T"].type)
        graph.replace(node.name, added)
        graph.set_inputs(graph.node(added), [node.name, constant])
        self.shapes[added] = self.shapes[node.name]

    def is_inner(self, tensor: str) -> bool:
        """Return whether a tensor is in no artifact: a bias or a relu is fused behind it."""
        user = self.graph.only_user(tensor)
        if user is None:
            return False
        return user.op == "Relu" or (self._is_kernel(tensor) and self.affine(user) is not None)

    def frozen(self) -> FrozenGraph:
        """Return the graph as it is now."""
        for name in sorted(self._changed):
            kernel = self.kernels[name]
            inputs = list(kernel.node.input)
            inputs[1] = self.graph.add_constant(f"{name}/kernel", kernel.stored())
            self.graph.set_inputs(kernel.node, inputs)
        self._changed.clear()
        self.graph.sweep()
        return self.graph.frozen()

    def _is_kernel(self, tensor: str) -> bool:
        return tensor in self.kernels


def _name_sizes(graph: EditableGraph, shapes: Shapes) -> None:
    """Let a Reshape say its sizes itself, where only that of the batch is free.

    Keras looks the batch up in the tensor, which would be one more that reads it.
    """
    for node in graph:
        shape = shapes.get(node.name)
        if node.op != "Reshape" or graph.constant(node.input[1]) is not None:
            continue
        if shape and None not in shape[1:] and 0 not in shape:
            sizes = np.array([-1 if size is None else size for size in shape], np.int32)
            constant = graph.add_constant(f"{node.name}/sizes", sizes)
            node.attr["Tshape"].type = graph.node(constant).attr["dtype"].type
            graph.set_inputs(node, [node.input[0], constant])
    graph.sweep()
