"""Build the TensorFlow graph of an ONNX graph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.frozen import FrozenGraph, GraphTensor
from edgekit_converters.graph.library import keep_needed
from edgekit_converters.sources.onnx.facts import Facts
from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operators, word_of
from edgekit_converters.sources.onnx.read import opset_of
from edgekit_converters.sources.onnx.uses import Use, uses
from edgekit_converters.sources.onnx.value import (
    Batch,
    Order,
    Sizes,
    Value,
    channels_last,
    inverse,
    natural,
)
from edgekit_runtimes.errors import EdgekitError, SourceError, first_line
from edgekit_runtimes.tensors import TensorSpec

# Layers are found in the graph by the middle of a node's name, as Keras writes it.
ROOT = "model"
IMAGE_RANKS = (3, 4, 5)

HINT = "Export the model without what makes them."
# What selects boxes has no operator in TFLite and TF.js: what comes before it is the model.
BEFORE_HINT = (
    "Cut the model before the first of them, and do the rest in the application: "
    'onnx.utils.extract_model("model.onnx", "raw.onnx", [inputs], [{names}])'
)
HINTS = {"NonMaxSuppression": BEFORE_HINT, "EfficientNMS_TRT": BEFORE_HINT}
# How many inputs of such an operator are what the model computes: boxes and scores.
RAW = 2


@dataclass(frozen=True)
class Built:
    """A graph, and where its tensors came from.

    orders: of inputs and outputs that do not lie as in the ONNX graph. tensors: which of the
    graph's tensors each tensor of the ONNX graph became, and how it lies.
    """

    graph: FrozenGraph
    orders: Mapping[str, Order]
    tensors: Mapping[str, tuple[str, Order]]


def check_operators(graph: Any) -> None:
    """Raise SourceError listing the operators that are not known, with how often each is used."""
    missing = [node for node in graph.node if word_of(node) not in operators()]
    if not missing:
        return
    counts = Counter(map(word_of, missing))
    listed = ", ".join(f"{op} ({count})" for op, count in sorted(counts.items()))
    hint = HINTS.get(missing[0].op_type, HINT)
    names = ", ".join(f'"{name}"' for name in missing[0].input[:RAW] if name)
    raise SourceError(
        f"edgekit cannot take over these operators: {listed}. {hint.format(names=names)}"
    )


def build(model: Any, facts: Facts, inputs: Sequence[TensorSpec], is_flat: bool) -> Built:
    """Return the graph of a simplified model.

    inputs: as the model has them. is_flat: whether they stay in the ONNX graph's order.
    Raises SourceError where an operator cannot be taken over.
    """
    with tf.Graph().as_default() as graph:
        builder = _Builder(model, facts, is_flat)
        placeholders = builder.place(inputs)
        builder.make_all()
        outputs = [builder.output(entry.name) for entry in model.graph.output]
        named = {
            name: (value.own.name, value.order)
            for name, value in builder.values.items()
            if value.array is None
        }
    graph_def = graph.as_graph_def()
    kept = [entry.node for entry in (*placeholders, *(entry for entry, _ in outputs))]
    keep_needed(graph_def, kept)
    frozen = FrozenGraph(graph_def, tuple(placeholders), tuple(entry for entry, _ in outputs))
    orders = {
        **builder.input_orders,
        **{
            entry.spec.name: order
            for entry, order in outputs
            if order != natural(len(entry.spec.shape))
        },
    }
    return Built(frozen, orders, named)


class _Builder:
    def __init__(self, model: Any, facts: Facts, is_flat: bool) -> None:
        self._model = model
        self._facts = facts
        self._is_flat = is_flat
        self._uses = uses(model.graph, facts.constants.keys())
        self._makers = {
            name: number
            for number, node in enumerate(model.graph.node)
            for name in node.output
            if name
        }
        self._batch = Batch(self._batch_tensor)
        self._batch_input: Any | None = None
        self._made_batch: Any | None = None
        self.values: dict[str, Value] = {
            name: Value.constant(self._batch, array) for name, array in facts.constants.items()
        }
        self.input_orders: dict[str, Order] = {}

    def _batch_tensor(self) -> Any:
        if self._made_batch is None:
            with tf.name_scope(""), tf.name_scope(f"{ROOT}/batch/"):
                sizes = tf.shape(self._batch_input)
                self._made_batch = tf.squeeze(tf.slice(sizes, [0], [1]), [0])
        return self._made_batch

    def place(self, inputs: Sequence[TensorSpec]) -> list[GraphTensor]:
        """Make the placeholders of the inputs, those of images channels last."""
        placed = []
        for spec in inputs:
            rank = len(spec.shape)
            is_image = Use.IMAGE in self._uses.get(spec.name, ()) and rank in IMAGE_RANKS
            is_image = is_image and not self._is_flat
            order = channels_last(rank) if is_image else natural(rank)
            shape = tuple(spec.shape[axis] for axis in order)
            tensor = tf.compat.v1.placeholder(spec.dtype, shape, _clean(spec.name))
            if self._batch_input is None and shape and shape[0] is None:
                self._batch_input = tensor
            sizes = self._facts.sizes[spec.name]
            self.values[spec.name] = Value(self._batch, sizes, tensor, order)
            if order != natural(rank):
                self.input_orders[spec.name] = order
            placed.append(GraphTensor(TensorSpec(spec.name, shape, spec.dtype), tensor.name))
        return placed

    def make_all(self) -> None:
        """Make the nodes that depend on the inputs; the others are made when one of them is read.

        Those are a few at the batch's shapes: a recursion over them is not deep.
        """
        for number, _ in enumerate(self._model.graph.node):
            if number not in self._facts.known:
                self._make(number)

    def output(self, name: str) -> tuple[GraphTensor, Order]:
        """Return an output of the graph, and how it lies: as it was made where it is an image."""
        value = self._value(name)
        rank = value.rank
        order = natural(rank)
        is_last = value.order == channels_last(rank) and not value.is_moved_freely(order)
        if is_last and rank in IMAGE_RANKS and not self._is_flat:
            order = value.order
        with tf.name_scope(f"{ROOT}/{_clean(name)}"):
            tensor = value.tensor(order)
            if tensor.op.type in ("Placeholder", "Const"):
                tensor = tf.identity(tensor)
        sizes = value.physical(order)
        shape = tuple(size if isinstance(size, int) else None for size in sizes)
        return GraphTensor(TensorSpec(name, shape, value.dtype.name), tensor.name), order

    def _value(self, name: str) -> Value:
        if name not in self.values:
            self._make(self._makers[name])
        return self.values[name]

    def _make(self, number: int) -> None:
        proto = self._model.graph.node[number]
        sizes: list[Sizes] = [self._facts.sizes.get(name, ()) for name in proto.output]
        node = Node(
            proto,
            [self._value(name) if name else None for name in proto.input],
            sizes,
            self._batch,
            opset_of(self._model, proto.domain),
            self._uses.get(proto.output[0], frozenset()),
        )
        scope = _clean(node.name)
        try:
            with tf.name_scope(f"{ROOT}/{scope}"):
                made = operators()[word_of(proto)](node)
        except EdgekitError:
            raise
        except Exception as error:
            raise node.refusal(first_line(error)) from error
        # Outputs that may be left out at the end are not made.
        values = [made] if isinstance(made, Value) else made
        for name, value in zip(proto.output, values, strict=False):
            if name:
                value.is_zero = value.is_zero or name in self._facts.zeros
                self.values[name] = value


def _clean(name: str) -> str:
    """Return a name as TensorFlow takes it."""
    clean = re.sub(r"[^A-Za-z0-9_.\-/]", "_", name).strip("/")
    return clean if re.match(r"[A-Za-z0-9.]", clean) else f"n{clean}"


def axes_of(orders: Mapping[str, Order]) -> dict[str, tuple[int, ...]]:
    """Return which of the graph's axes each axis of the source's tensors is, by name."""
    return {name: inverse(order) for name, order in orders.items()}
