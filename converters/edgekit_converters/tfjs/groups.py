"""Grouped convolutions, which TF.js does not have, in convolutions that it has."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.graph.edit import EditableGraph, output_tensor
from edgekit_converters.graph.frozen import FrozenGraph
from edgekit_converters.graph.shapes import Shapes
from edgekit_runtimes.tensors import Array

# Each group becomes a convolution of its own, which in a browser is a shader pass. ResNeXt has 32.
MOST_GROUPS = 32
CHANNELS_LAST = 3
# What a depthwise convolution has no use for.
CONV2D_ATTRIBUTE = "use_cudnn_on_gpu"


def split_groups(frozen: FrozenGraph, shapes: Shapes) -> FrozenGraph:
    """Return the graph with its grouped convolutions split; the very same where it has none.

    With one input channel per group it is a depthwise convolution; up to MOST_GROUPS groups become
    convolutions of slices, and a concatenation. Others stay, for `check_convolutions` to refuse.
    """
    graph = EditableGraph(frozen)
    changed = False
    for node in graph:
        is_ours = node.op == "Conv2D" and node.attr["data_format"].s in (b"", b"NHWC")
        kernel = graph.constant(node.input[1]) if is_ours else None
        image = shapes.get(node.input[0]) if kernel is not None else None
        if kernel is None or not image or image[-1] is None or image[-1] == kernel.shape[-2]:
            continue
        groups = image[-1] // kernel.shape[-2]
        if kernel.shape[-2] == 1 and _has_even_strides(node):
            _become_depthwise(graph, node, kernel, groups)
        elif groups <= MOST_GROUPS:
            _split(graph, node, kernel, groups)
        else:
            continue
        changed = True
    return graph.frozen() if changed else frozen


def _has_even_strides(node: Any) -> bool:
    """TensorFlow's depthwise convolution takes one stride for both directions."""
    strides = list(node.attr["strides"].list.i)
    return bool(strides[1] == strides[2])


def _become_depthwise(graph: EditableGraph, node: Any, kernel: Array, channels: int) -> None:
    # Output channels stand group by group in both.
    shape = (*kernel.shape[:2], channels, kernel.shape[-1] // channels)
    weights = graph.add_constant(f"{node.name}/depthwise", kernel.reshape(shape))
    node.op = "DepthwiseConv2dNative"
    node.attr.pop(CONV2D_ATTRIBUTE, None)
    graph.set_inputs(node, [node.input[0], weights])


def _split(graph: EditableGraph, node: Any, kernel: Array, groups: int) -> None:
    dtype, name = node.attr["T"].type, node.name
    axis = graph.add_constant(f"{name}/axis", np.array(CHANNELS_LAST, np.int32))
    parts = graph.add("Split", f"{name}/split", [axis, node.input[0]], T=dtype)
    graph.node(parts).attr["num_split"].i = groups
    results = []
    for number, weights in enumerate(np.split(kernel, groups, axis=-1)):
        constant = graph.add_constant(f"{name}/kernel_{number}", weights)
        inputs = [output_tensor(parts, number), constant]
        part = graph.add("Conv2D", f"{name}/group_{number}", inputs)
        for key, value in node.attr.items():
            graph.node(part).attr[key].CopyFrom(value)
        results.append(part)
    node.op = "ConcatV2"
    node.ClearField("attr")
    node.attr["N"].i = groups
    node.attr["T"].type = dtype
    node.attr["Tidx"].type = tf.int32.as_datatype_enum
    graph.set_inputs(node, [*results, axis])
