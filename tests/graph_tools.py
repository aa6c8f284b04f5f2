"""Graphs of functions, and whether two graphs answer the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
from tfjs_tools import difference, noise

from edgekit_converters.graph.frozen import FrozenGraph, freeze
from edgekit_runtimes.tensors import TensorSpec


def frozen(function: Callable[..., Any], **inputs: Any) -> FrozenGraph:
    """Return a function's graph as it was traced. inputs: a shape and a dtype, by name."""
    specs = tuple(TensorSpec(name, tuple(shape), dtype) for name, (shape, dtype) in inputs.items())
    signature = {spec.name: tf.TensorSpec(spec.shape, spec.dtype, spec.name) for spec in specs}

    def call(**tensors: Any) -> dict[str, Any]:
        return {"y": function(*tensors.values())}

    concrete = tf.function(call).get_concrete_function(**signature)
    result = concrete.structured_outputs["y"]
    outputs = (TensorSpec("y", tuple(result.shape), result.dtype.name),)
    return freeze(concrete, specs, outputs)


def check_same(before: FrozenGraph, after: FrozenGraph, inputs: Any = None) -> None:
    inputs = inputs or noise(before)
    assert difference(after.run(inputs), before.run(inputs)) < 1e-6
