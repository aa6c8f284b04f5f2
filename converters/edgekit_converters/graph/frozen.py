"""The frozen graph: the hub between sources and formats.

Every source becomes one FrozenGraph: a TensorFlow GraphDef without variables, with named inputs
and outputs. Pruning edits its constants; TFLite, TF.js and ONNX are written from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2, saved_model_pb2
from tensorflow.python.framework.convert_to_constants import (
    _FunctionConverterDataInEager,
    _replace_variables_by_constants,
)

from edgekit_converters.graph.effects import without_effects
from edgekit_converters.graph.library import all_nodes, give_new_names, keep_needed
from edgekit_runtimes.errors import ConversionError, map_exceptions
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec, is_batched

SIGNATURE_KEY = "serving_default"
SERVING = "serve"

# A while loop of v1 control flow (`lower_control_flow=True`) is beyond TFLite; these ops are v2
# control flow, which it reads. https://github.com/tensorflow/tensorflow/issues/42410
CONTROL_FLOW_OPS = frozenset({"While", "StatelessWhile", "If", "StatelessIf"})

CALL_OPS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
GRADIENT, COLOCATION = "_gradient_op_type", "_class"
INLINING_MARKS = ("_XlaMustCompile", "_noinline")


@dataclass(frozen=True)
class GraphTensor:
    """An input or output: its name in the signature, and the graph's tensor ("x:0").

    source_axes: where the source's own order differs and is to be kept in ONNX artifacts: axis k
    of its tensor is axis `source_axes[k]` of the graph's.
    """

    spec: TensorSpec
    tensor: str
    source_axes: tuple[int, ...] | None = None

    @property
    def node(self) -> str:
        """The name of the node that makes the tensor."""
        return self.tensor.split(":")[0]


@dataclass(frozen=True)
class FrozenGraph:
    """A GraphDef with its variables folded in, and its signature.

    graph_def: a tensorflow.GraphDef whose inputs are Placeholder nodes. Treat it as read-only:
    `with_constants` returns a new graph.
    half: whether it computes in float32 what the original computes in half precision.
    """

    graph_def: Any
    inputs: tuple[GraphTensor, ...]
    outputs: tuple[GraphTensor, ...]
    half: bool = False

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """The signature's inputs."""
        return tuple(entry.spec for entry in self.inputs)

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """The signature's outputs."""
        return tuple(entry.spec for entry in self.outputs)

    @property
    def source_axes(self) -> dict[str, tuple[int, ...]]:
        """The source's order of axes, by name, of the inputs and outputs that have another one."""
        entries = (*self.inputs, *self.outputs)
        return {entry.spec.name: entry.source_axes for entry in entries if entry.source_axes}

    @property
    def batched(self) -> bool:
        """Whether the first axis of every input is a batch axis."""
        return is_batched(self.input_specs)

    def constants(self) -> dict[str, Array]:
        """Return the values of all Const nodes by node name."""
        return {
            node.name: tf.make_ndarray(node.attr["value"].tensor)
            for node in self.graph_def.node
            if node.op == "Const"
        }

    def with_constants(self, values: Mapping[str, Array]) -> FrozenGraph:
        """Return a copy of the graph in which the named Const nodes have new values.

        Shapes and dtypes stay as they are.
        """
        graph_def = tf.compat.v1.GraphDef()
        graph_def.CopyFrom(self.graph_def)
        for node in graph_def.node:
            if node.name in values:
                node.attr["value"].tensor.CopyFrom(
                    tf.make_tensor_proto(np.asarray(values[node.name], order="C"))
                )
        return replace(self, graph_def=graph_def)

    def function(self) -> Any:
        """Return the graph as a ConcreteFunction: tensors in signature order in, a list out."""

        def import_graph() -> None:
            tf.graph_util.import_graph_def(self.graph_def, name="")

        wrapped = tf.compat.v1.wrap_function(import_graph, [])
        graph = wrapped.graph
        return wrapped.prune(
            [graph.as_graph_element(entry.tensor) for entry in self.inputs],
            [graph.as_graph_element(entry.tensor) for entry in self.outputs],
        )

    def run(self, inputs: Mapping[str, Array]) -> Arrays:
        """Return the outputs by name for one set of inputs, computed by TensorFlow."""
        (outputs,) = self.answers([inputs])
        return outputs

    def answers(self, samples: Iterable[Mapping[str, Array]]) -> Iterator[Arrays]:
        """Yield the outputs by name for each set of inputs, computed by TensorFlow.

        In a session that computes the graph as it is: what is folded and fused for a function is
        many copies of the weights, which a few runs do not pay back.
        """
        config = tf.compat.v1.ConfigProto()
        config.graph_options.rewrite_options.disable_meta_optimizer = True
        config.graph_options.optimizer_options.opt_level = tf.compat.v1.OptimizerOptions.L0
        with tf.Graph().as_default() as graph:
            tf.graph_util.import_graph_def(self.graph_def, name="")
        wanted = {entry.spec.name: entry.tensor for entry in self.outputs}
        # Trap: `with Session(…)` makes it the default one, for whoever asks while this waits.
        with contextlib.closing(tf.compat.v1.Session(graph=graph, config=config)) as session:
            for inputs in samples:
                feeds = {entry.tensor: inputs[entry.spec.name] for entry in self.inputs}
                yield session.run(wanted, feeds)

    def save(self, folder: Path) -> Path:
        """Write the graph as a SavedModel with one named signature and return the folder.

        TFLite must be converted from that: `from_concrete_functions` drops the signature, and the
        LiteRT quantizer then refuses static int8 ("model has 0 Signatures"). It is written as the
        graph that it is: `tf.saved_model.save` makes functions of it first, with six more copies of
        the weights.
        """
        meta_graph = meta_graph_pb2.MetaGraphDef(graph_def=self.graph_def)
        meta_graph.meta_info_def.tags.append(SERVING)
        signature = meta_graph.signature_def[SIGNATURE_KEY]
        signature.method_name = "tensorflow/serving/predict"
        for entry in self.inputs:
            signature.inputs[entry.spec.name].CopyFrom(_tensor_info(entry))
        for entry in self.outputs:
            signature.outputs[entry.spec.name].CopyFrom(_tensor_info(entry))
        saved = saved_model_pb2.SavedModel(saved_model_schema_version=1, meta_graphs=[meta_graph])
        with map_exceptions("The frozen graph could not be saved", ConversionError):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "saved_model.pb").write_bytes(saved.SerializeToString())
        return folder


def _tensor_info(entry: GraphTensor) -> Any:
    return meta_graph_pb2.TensorInfo(
        name=entry.tensor,
        dtype=tf.as_dtype(entry.spec.dtype).as_datatype_enum,
        tensor_shape=tf.TensorShape(entry.spec.shape).as_proto(),
    )


def freeze(
    function: Any, inputs: tuple[TensorSpec, ...], outputs: tuple[TensorSpec, ...]
) -> FrozenGraph:
    """Fold the variables of a ConcreteFunction into a FrozenGraph.

    function: called with keyword arguments named as `inputs`, returning a dict of the outputs.
    v2 control flow is kept as it is: TFLite and tf2onnx read it, but they cannot read lowered
    loops.
    """
    function = without_effects(function)
    graph_def = _constants_for_variables(function)
    names = dict(zip(sorted(function.structured_outputs), function.outputs, strict=True))
    tensors = {tensor.op.name: tensor for tensor in function.inputs}
    for node in all_nodes(graph_def):
        # A custom gradient that is saved with the graph brings captures that TFLite refuses; what a
        # node is to be placed beside may be gone.
        for attribute in (GRADIENT, COLOCATION):
            node.attr.pop(attribute, None)
    graph = FrozenGraph(
        graph_def=graph_def,
        inputs=tuple(GraphTensor(spec, tensors[spec.name].name) for spec in inputs),
        outputs=tuple(GraphTensor(spec, names[spec.name].name) for spec in outputs),
    )
    calls = any(node.op in CALL_OPS for node in graph.graph_def.node)
    return _inline_compiled(graph) if calls else graph


def _constants_for_variables(function: Any) -> Any:
    """Return the graph of a ConcreteFunction, its calls inlined and its variables as constants.

    The tensors keep their names. Written with the parts of `convert_variables_to_constants_v2`,
    which makes a function of the result: eight copies of the weights stay in memory.
    """
    data = _FunctionConverterDataInEager(
        function, lower_control_flow=False, aggressive_inlining=False
    )
    graph_def, _ = _replace_variables_by_constants(data)
    fed = [tensor for tensor in function.inputs if tensor.dtype != tf.resource]
    keep_needed(graph_def, [tensor.op.name for tensor in (*fed, *function.outputs)])
    give_new_names(graph_def)
    return graph_def


def _inline_compiled(graph: FrozenGraph) -> FrozenGraph:
    """Return the graph with the bodies of its jit-compiled functions in place of the calls.

    Keras compiles grouped convolutions, for one; TensorFlow never inlines what is marked so.
    """
    graph_def = tf.compat.v1.GraphDef()
    graph_def.CopyFrom(graph.graph_def)
    functions = graph_def.library.function
    # Trap: under a name that it knows, TensorFlow takes the function it has, with its marks.
    names = {
        function.signature.name: f"{function.signature.name}_inlined" for function in functions
    }
    bodies = [graph_def.node, *(function.node_def for function in functions)]
    for node in (node for body in bodies for node in body):
        for mark in INLINING_MARKS:
            node.attr.pop(mark, None)
        for value in node.attr.values():
            if value.func.name in names:
                value.func.name = names[value.func.name]
    for function in functions:
        function.signature.name = names[function.signature.name]
        for mark in INLINING_MARKS:
            function.attr.pop(mark, None)
    inlined = replace(graph, graph_def=graph_def).function()
    return FrozenGraph(
        graph_def=_constants_for_variables(inlined),
        inputs=tuple(
            replace(entry, tensor=tensor.name)
            for entry, tensor in zip(graph.inputs, inlined.inputs, strict=True)
        ),
        outputs=tuple(
            replace(entry, tensor=tensor.name)
            for entry, tensor in zip(graph.outputs, inlined.outputs, strict=True)
        ),
    )
