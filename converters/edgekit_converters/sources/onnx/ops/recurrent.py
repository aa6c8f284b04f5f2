"""LSTM, GRU and RNN, unrolled: step by step in operators that every format has and can quantize.

The products of the inputs are one matrix product over all steps. What lies batch first stays so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from edgekit_converters.sources.onnx.node import Node
from edgekit_converters.sources.onnx.ops import operator
from edgekit_converters.sources.onnx.value import Order, Size, Value, natural
from edgekit_runtimes.tensors import Array

# A loop takes 4.5 times as long in LiteRT (2-layer biLSTM of 20 steps), but an unrolled step is a
# dozen operators: longer series become a loop.
MOST_STEPS = 64
BATCH_FIRST = (1, 0, 2)
# How many matrices of gates each has, in ONNX's order: i o f c; z r h.
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
DEFAULTS = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}
FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "Elu": tf.nn.elu,
    "HardSigmoid": lambda x: tf.minimum(tf.maximum(0.2 * x + 0.5, 0.0), 1.0),
    "Relu": tf.nn.relu,
    "Sigmoid": tf.sigmoid,
    "Softplus": tf.math.softplus,
    "Softsign": tf.nn.softsign,
    "Tanh": tf.tanh,
}

States = tuple[Any, ...]
Step = Callable[[Any, States], States]


@dataclass(frozen=True)
class Direction:
    """The weights of one direction, gates in the order in which they are computed.

    inputs [I, gates H], hidden [H, gates H] and bias are constants, made once for all steps.
    """

    inputs: Any
    hidden: Any
    bias: Any
    hidden_bias: Any
    size: int
    functions: Sequence[Callable[[Any], Any]]


@operator("LSTM", "GRU", "RNN")
def recurrent(node: Node) -> Sequence[Value]:
    """Return all hidden states, the last one, and with LSTM the last cell state."""
    if node.get("layout", 0):
        raise node.refusal("it is batch first (layout 1), which onnxruntime does not run")
    if node.get("clip") or node.get("input_forget", 0) or node.maybe(7) is not None:
        raise node.refusal("it has clipped gates, coupled gates or peepholes")
    series = _Series(node)
    name = node.get("direction", "forward")
    count = 2 if name == "bidirectional" else 1
    runs = []
    for number in range(count):
        direction = _direction(node, number, count)
        is_backward = name == "reverse" or number == 1
        runs.append(_run(node, series, direction, number, is_backward))
    return _outputs(node, series, runs)


class _Series:
    """The input: one tensor per step, batch by features, or all of it for a loop.

    is_batch_first: how it lies. sizes: its steps, batch and features.
    """

    def __init__(self, node: Node) -> None:
        value = node[0]
        steps, batch, features = value.sizes
        (self.steps, self.features) = node.fixed((steps, features), "the number of its steps")
        self.batch: Size = batch
        lengths = node.maybe(4)
        if lengths is not None and (
            lengths.array is None or not (lengths.array == self.steps).all()
        ):
            raise node.refusal("each of its series has a length of its own")
        if value.origin is not None and value.origin[1] == BATCH_FIRST:
            value = value.origin[0].relabelled(BATCH_FIRST)
        self.order: Order = BATCH_FIRST if value.order == BATCH_FIRST else natural(3)
        self.is_batch_first = self.order == BATCH_FIRST
        self.tensor = value.tensor(self.order)

    @property
    def axis(self) -> int:
        """Along which axis the steps lie."""
        return 1 if self.is_batch_first else 0

    def product(self, node: Node, direction: Direction) -> Any:
        """Return what the gates get from the input at all steps, lying as the input does."""
        rows = tf.reshape(self.tensor, [-1, self.features])
        found = tf.nn.bias_add(tf.matmul(rows, direction.inputs), direction.bias)
        width = direction.inputs.shape[-1]
        ends = (self.batch, self.steps) if self.is_batch_first else (self.steps, self.batch)
        return node.batch.reshaped(found, (*ends, int(width)))


def _direction(node: Node, number: int, count: int) -> Direction:
    """Return the weights of one direction. Gates behind one function lie beside each other."""
    weights, hidden = (node.array(place, "its weights")[number] for place in (1, 2))
    size = hidden.shape[-1]
    gates = GATES[node.op]
    bias_value = node.maybe(3)
    dtype = weights.dtype
    biases = (
        np.zeros(2 * gates * size, dtype)
        if bias_value is None
        else node.array(3, "its bias")[number]
    )
    first, second = biases[: gates * size], biases[gates * size :]
    order = (0, 1, 2, 3)[:gates]
    kept = np.zeros_like(second)
    if node.op == "GRU":
        # The last gate's second bias is multiplied by the reset gate.
        kept = second[2 * size :]
        second = np.concatenate([second[: 2 * size], np.zeros(size, dtype)])
        if not node.get("linear_before_reset", 0):
            second = np.concatenate([second[: 2 * size], kept])
            kept = np.zeros(size, dtype)

    def turned(matrix: Array) -> Array:
        parts = np.split(matrix, gates, axis=0)
        return np.concatenate([parts[gate] for gate in order], axis=0)

    names = [
        name.decode() if isinstance(name, bytes) else name
        for name in node.get("activations") or DEFAULTS[node.op] * count
    ]
    per = len(DEFAULTS[node.op])
    chosen = names[number * per : (number + 1) * per]
    unknown = [name for name in chosen if name not in FUNCTIONS]
    if unknown or node.get("activation_alpha") or node.get("activation_beta"):
        raise node.refusal(f"its activations are {', '.join(chosen)}, some with their own numbers")
    return Direction(
        tf.constant(np.asarray(turned(weights).T, order="C")),
        _hidden(node, turned(hidden)),
        tf.constant(turned(first + second)),
        kept,
        size,
        [FUNCTIONS[name] for name in chosen],
    )


def _hidden(node: Node, matrix: Array) -> Any:
    """Return the matrix of the hidden state; of a GRU whose reset comes first, in two parts."""
    turned = np.asarray(matrix.T, order="C")
    if node.op == "GRU" and not node.get("linear_before_reset", 0):
        size = turned.shape[0]
        return tf.constant(turned[:, : 2 * size]), tf.constant(turned[:, 2 * size :])
    return tf.constant(turned)


def _lstm(direction: Direction) -> Step:
    gate, inner, outer = direction.functions

    def step(x: Any, states: States) -> States:
        hidden, cell = states
        x = x if hidden is None else x + tf.matmul(hidden, direction.hidden)
        # Three gates have one function: i o f lie beside each other.
        gates, new = tf.split(x, [3 * direction.size, direction.size], 1)
        enter, leave, keep = tf.split(gate(gates), 3, 1)
        entered = enter * inner(new)
        cell = entered if cell is None else keep * cell + entered
        return leave * outer(cell), cell

    return step


def _gru(direction: Direction) -> Step:
    gate, inner = direction.functions
    size = direction.size

    def step(x: Any, states: States) -> States:
        (hidden,) = states
        gates, new = tf.split(x, [2 * size, size], 1)
        if hidden is None:
            update, reset = tf.split(gate(gates), 2, 1)
            if not isinstance(direction.hidden, tuple) and direction.hidden_bias.any():
                new = new + reset * tf.constant(direction.hidden_bias)
            made = inner(new)
            return (made - update * made,)
        if isinstance(direction.hidden, tuple):
            gates = gates + tf.matmul(hidden, direction.hidden[0])
            update, reset = tf.split(gate(gates), 2, 1)
            new = new + tf.matmul(reset * hidden, direction.hidden[1])
        else:
            product = tf.matmul(hidden, direction.hidden)
            of_gates, of_new = tf.split(product, [2 * size, size], 1)
            update, reset = tf.split(gate(gates + of_gates), 2, 1)
            if direction.hidden_bias.any():
                of_new = of_new + tf.constant(direction.hidden_bias)
            new = new + reset * of_new
        made = inner(new)
        return (made + update * (hidden - made),)

    return step


def _rnn(direction: Direction) -> Step:
    (function,) = direction.functions

    def step(x: Any, states: States) -> States:
        (hidden,) = states
        return (function(x if hidden is None else x + tf.matmul(hidden, direction.hidden)),)

    return step


STEPS: dict[str, Callable[[Direction], Step]] = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}


def _initial(node: Node, place: int, number: int, size: int, series: _Series) -> Any:
    """Return the state of one direction before the first step; None where it is zero."""
    value = node.maybe(place)
    if value is None or (value.array is not None and not value.array.any()):
        return None
    if value.is_zero:
        return None
    plain = value.plain
    part = plain if plain.shape[0] == 1 else tf.slice(plain, [number, 0, 0], [1, -1, -1])
    return node.batch.reshaped(part, (series.batch, size))


def _run(
    node: Node, series: _Series, direction: Direction, number: int, is_backward: bool
) -> tuple[list[Any] | Any, States]:
    """Return the hidden states of all steps, in the order of the input, and the last states."""
    states: States = (_initial(node, 5, number, direction.size, series),)
    if node.op == "LSTM":
        states = (*states, _initial(node, 6, number, direction.size, series))
    step = STEPS[node.op](direction)
    product = series.product(node, direction)
    if series.steps > MOST_STEPS:
        return _looped(node, series, direction, product, step, states, is_backward)
    made: list[Any] = []
    parts = tf.unstack(product, series.steps, series.axis)
    for part in reversed(parts) if is_backward else parts:
        states = step(part, states)
        made.append(states[0])
    return (made[::-1] if is_backward else made), states


def _looped(
    node: Node,
    series: _Series,
    direction: Direction,
    product: Any,
    step: Step,
    states: States,
    is_backward: bool,
) -> tuple[Any, States]:
    """Return the same, computed in a loop: all hidden states in one tensor, steps first."""
    by_step = tf.transpose(product, BATCH_FIRST) if series.is_batch_first else product
    if is_backward:
        by_step = tf.reverse(by_step, [0])
    shape = node.batch.shape((series.batch, direction.size))
    begin = tuple(tf.zeros(shape, by_step.dtype) if state is None else state for state in states)
    inputs = tf.TensorArray(by_step.dtype, series.steps).unstack(by_step)
    outputs = tf.TensorArray(by_step.dtype, series.steps)
    fixed = series.batch if isinstance(series.batch, int) else None

    def body(time: Any, found: Any, *before: Any) -> tuple[Any, ...]:
        after = step(inputs.read(time), before)
        for state in after:
            state.set_shape([fixed, direction.size])
        return (time + 1, found.write(time, after[0]), *after)

    _, written, *last = tf.while_loop(
        lambda time, *_: time < series.steps, body, (tf.constant(0), outputs, *begin)
    )
    found = written.stack()
    found.set_shape([series.steps, fixed, direction.size])
    return (tf.reverse(found, [0]) if is_backward else found), tuple(last)


def _outputs(
    node: Node, series: _Series, runs: Sequence[tuple[list[Any] | Any, States]]
) -> list[Value]:
    count = len(runs)
    outputs = []
    if node.is_read(0):
        outputs.append(_all_steps(node, series, [states for states, _ in runs]))
    else:
        outputs.append(node.value(tf.zeros([])))
    for place in (1, 2):
        if not node.is_read(place):
            outputs.append(outputs[0])
            continue
        last = [states[place - 1] for _, states in runs]
        size = int(last[0].shape[-1])
        joined = last[0] if count == 1 else tf.concat(last, 0)
        sizes = node.sizes[place]
        tensor = node.batch.reshaped(joined, (count, series.batch, size))
        outputs.append(Value(node.batch, sizes, tensor))
    return outputs


def _all_steps(node: Node, series: _Series, runs: Sequence[list[Any] | Any]) -> Value:
    """Return all hidden states [steps, directions, batch, size], lying as the input does."""
    if isinstance(runs[0], list):
        joined = [
            parts[0] if len(parts) == 1 else tf.concat(parts, 1)
            for parts in zip(*runs, strict=True)
        ]
        found = tf.stack(joined, series.axis)
        is_batch_first = series.is_batch_first
    else:
        found = runs[0] if len(runs) == 1 else tf.concat(runs, 2)
        is_batch_first = False
    size = int(found.shape[-1]) // len(runs)
    ends = (series.batch, series.steps) if is_batch_first else (series.steps, series.batch)
    tensor = node.batch.reshaped(found, (*ends, len(runs), size))
    # ONNX's axes are steps, directions, batch, size.
    return node.value(tensor, (2, 0, 1, 3) if is_batch_first else (0, 2, 1, 3))
