"""What onnxruntime says of a graph: the size of every tensor, and the value of what is known.

A graph that was exported with a free batch computes shapes while it runs. Their values are asked
for with two batches: what is the same for both is a constant, and what differs depends on the
batch. No operator that computes shapes has to be known for that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnx import helper

from edgekit_converters.onnx.graph import bodies, inputs_of, values_of
from edgekit_converters.sources.onnx.infer import inferred
from edgekit_converters.sources.onnx.simplify import plain_session
from edgekit_converters.sources.onnx.value import Free, Sizes
from edgekit_runtimes.tensors import Array, Arrays

# Their results do not depend on the values that they are given.
SIZE_OPS = frozenset({"Shape", "Size"})
RANDOM_OPS = frozenset(
    {
        "Bernoulli",
        "Multinomial",
        "RandomNormal",
        "RandomNormalLike",
        "RandomUniform",
        "RandomUniformLike",
    }
)
PREFIX = "edgekit/size/"


@dataclass(frozen=True)
class Facts:
    """What is known of the tensors of a graph.

    sizes: by name. constants: values that depend on neither the inputs nor the batch.
    known: the nodes, by number, whose results depend on the batch at most.
    zeros: what depends on the batch and is zero everywhere, as the first states of a recurrent net.
    """

    sizes: Mapping[str, Sizes]
    constants: Mapping[str, Array]
    known: frozenset[int] = field(default_factory=frozenset)
    zeros: frozenset[str] = frozenset()


def ask(model: Any, samples: Sequence[Arrays], batch: str) -> Facts:
    """Return the facts of a simplified model.

    samples: one set of inputs; two, with LOW and HIGH entries, where the batch is free. batch: what
    the model calls its size. onnxruntime raises anything.
    """
    graph = model.graph
    values = {tensor.name: values_of(tensor) for tensor in graph.initializer}
    known, made = _known_nodes(graph, set(values))
    if not known and (found := inferred(model, batch)) is not None:
        return Facts(found, values)
    wanted = _fetched(graph, known, made)
    tensors = [name for node in graph.node for name in node.output if name]
    results = _run(model, tensors, wanted, samples)
    low, high = results[0], results[-1]
    sizes: dict[str, Sizes] = {name: array.shape for name, array in values.items()}
    for name in samples[0]:
        sizes[name] = _sizes(samples[0][name].shape, samples[-1][name].shape)
    for name in tensors:
        sizes[name] = _sizes(low[PREFIX + name].tolist(), high[PREFIX + name].tolist())
    for name in wanted:
        if low[name].shape == high[name].shape and np.array_equal(
            low[name], high[name], equal_nan=low[name].dtype.kind == "f"
        ):
            values[name] = low[name]
    zeros = frozenset(
        name for name in wanted if name not in values and not low[name].any() and low[name].size
    )
    return Facts(sizes, values, known, zeros)


def _sizes(low: Sequence[int], high: Sequence[int]) -> Sizes:
    return tuple(int(a) if a == b else Free(int(a), int(b)) for a, b in zip(low, high, strict=True))


def _known_nodes(graph: Any, constants: set[str]) -> tuple[frozenset[int], set[str]]:
    """Return the nodes whose results depend on no input's values, and the names of the results."""
    names, found = set(constants), set[int]()
    for number, node in enumerate(graph.node):
        reads = inputs_of(node)
        is_random = node.op_type in RANDOM_OPS or any(bodies(node))
        if node.op_type in SIZE_OPS or (reads <= names and not is_random):
            found.add(number)
            names.update(node.output)
    return frozenset(found), names - constants


def _fetched(graph: Any, known: frozenset[int], made: set[str]) -> list[str]:
    """Return the known results that other nodes, or the outputs, read."""
    reads = {output.name for output in graph.output}
    for number, node in enumerate(graph.node):
        if number not in known:
            reads |= inputs_of(node)
    return sorted(name for name in reads & made if name)


def _run(
    model: Any, tensors: Sequence[str], wanted: Sequence[str], samples: Sequence[Arrays]
) -> list[Arrays]:
    graph = model.graph
    nodes, outputs = len(graph.node), list(graph.output)
    del graph.output[:]
    for name in tensors:
        graph.node.append(helper.make_node("Shape", [name], [PREFIX + name]))
    names = [*(PREFIX + name for name in tensors), *wanted]
    graph.output.extend(helper.make_empty_tensor_value_info(name) for name in names)
    try:
        session = plain_session(model)
    finally:
        del graph.node[nodes:]
        del graph.output[:]
        graph.output.extend(outputs)
    taken = {entry.name for entry in session.get_inputs()}
    return [
        dict(
            zip(
                names,
                session.run(names, {k: v for k, v in sample.items() if k in taken}),
                strict=True,
            )
        )
        for sample in samples
    ]
