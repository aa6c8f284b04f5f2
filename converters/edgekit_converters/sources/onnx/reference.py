"""What the original answers, and which batch it takes.

A model whose batch is free is asked for three samples at once and for one. One that was exported
for a batch of 1 is tried with a free batch: if it answers three samples as it answers each of
them, the batch is free from here on (7 of 10 exports are right so, 3 fail when they are run).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from edgekit_converters.sources.onnx.simplify import simplify
from edgekit_converters.sources.onnx.value import HIGH
from edgekit_runtimes.errors import first_line
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec

FREE_BATCH = "batch"
ONE_BATCH_NOTE = "the batch is fixed to 1: the model says that it is free, but fails ({reason})"
FREED_NOTE = "the batch, which the model fixes to 1, is free: three samples at once gave the same"

# Two float32 computations of one graph differ by 1e-6 to 1e-5 of the largest number, by more where
# numbers cancel; what is wired wrongly differs by a tenth and more.
LARGEST_DIFFERENCE = 1e-3
HALF_DIFFERENCE = 2e-2
# Below it, outputs are compared by their difference itself: their share says nothing.
SMALL_OUTPUT = 1e-6
SEED = 0


@dataclass(frozen=True)
class Reference:
    """A model as it will be taken over, and what it answers.

    inputs: with the batch that it takes. simple: the model simplified. samples, answers: sets of
    inputs, and the outputs for each. notes: what the user should know of the batch.
    """

    inputs: tuple[TensorSpec, ...]
    simple: Any
    samples: Sequence[Arrays]
    answers: Sequence[Arrays]
    notes: tuple[str, ...] = ()

    @property
    def is_free(self) -> bool:
        """Whether the batch is free."""
        return any(None in spec.shape for spec in self.inputs)


def refer(model: Any, inputs: tuple[TensorSpec, ...]) -> Reference:
    """Return the reference of a model, whose declared sizes it changes.

    onnxruntime raises anything where it does not run the model.
    """
    if any(None in spec.shape for spec in inputs):
        try:
            return refer_as(model, inputs)
        except Exception as error:
            found = refer_as(model, with_batch(inputs, 1))
            return replace(found, notes=(ONE_BATCH_NOTE.format(reason=first_line(error)),))
    if all(spec.shape[:1] == (1,) for spec in inputs):
        try:
            freed = refer_as(model, with_batch(inputs, None), check_rows=True)
            return replace(freed, notes=(FREED_NOTE,))
        except Exception:
            # It takes one sample at a time, as it says.
            return refer_as(model, inputs)
    return refer_as(model, inputs)


def with_batch(inputs: Sequence[TensorSpec], size: int | None) -> tuple[TensorSpec, ...]:
    """Return inputs with another size of the first axis."""
    return tuple(replace(spec, shape=(size, *spec.shape[1:])) for spec in inputs)


def refer_as(model: Any, inputs: tuple[TensorSpec, ...], check_rows: bool = False) -> Reference:
    """Return the reference for just these sizes; onnxruntime raises anything.

    check_rows: whether each sample of a batch must be answered as it is alone, else ValueError.
    """
    _declare(model, inputs)
    session, simple = simplify(model)
    is_free = any(None in spec.shape for spec in inputs)
    # Of a free batch 1 as well: it is what artifacts are mostly run with.
    samples = samples_of(inputs, (HIGH, 1) if is_free else (None, None))
    answers = [_answer(session, sample) for sample in samples]
    if check_rows:
        _check_rows(session, samples[0], answers[0])
    return Reference(inputs, simple, samples, answers)


def _answer(session: Any, sample: Arrays) -> Arrays:
    names = [entry.name for entry in session.get_outputs()]
    taken = {entry.name for entry in session.get_inputs()}
    given = {name: array for name, array in sample.items() if name in taken}
    return dict(zip(names, session.run(names, given), strict=True))


def _check_rows(session: Any, sample: Arrays, answers: Arrays) -> None:
    """Raise ValueError unless each sample of a batch is answered as it is alone."""
    for number in range(HIGH):
        alone = {name: array[number : number + 1] for name, array in sample.items()}
        for name, wanted in _answer(session, alone).items():
            found = answers[name]
            if not found.ndim or found.shape[0] != HIGH:
                raise ValueError(f"the output '{name}' has no batch")
            if fault := differs(found[number : number + 1], wanted):
                raise ValueError(f"the output '{name}' {fault}")


def _declare(model: Any, inputs: tuple[TensorSpec, ...]) -> None:
    """Write the sizes of the inputs into the model, so that onnxruntime folds what they decide."""
    specs = {spec.name: spec for spec in inputs}
    for entry in model.graph.input:
        if entry.name in specs:
            sizes = entry.type.tensor_type.shape.dim
            for dim, size in zip(sizes, specs[entry.name].shape, strict=True):
                if size is None:
                    dim.dim_param = FREE_BATCH
                else:
                    dim.dim_value = size
    # What was inferred for other sizes contradicts these.
    del model.graph.value_info[:]
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")


def samples_of(specs: Sequence[TensorSpec], batches: Sequence[int | None]) -> list[Arrays]:
    """Return a random sample for each batch; None keeps the sizes as they are."""
    generator = np.random.default_rng(SEED)
    return [{spec.name: _sample(spec, batch, generator) for spec in specs} for batch in batches]


def _sample(spec: TensorSpec, batch: int | None, generator: np.random.Generator) -> Array:
    sizes = [batch or 1 if size is None else size for size in spec.shape]
    dtype = np.dtype(spec.dtype)
    if dtype.kind == "f":
        return generator.uniform(-1, 1, sizes).astype(dtype)
    # Small enough for any table or class that integers may name.
    return generator.integers(0, 2, sizes).astype(dtype)


def differs(found: Array, wanted: Array) -> str:
    """Return how an array differs from what it should be; "" where it does not."""
    if found.shape != wanted.shape:
        return f"has the shape {list(found.shape)} instead of {list(wanted.shape)}"
    if wanted.dtype.kind != "f":
        wrong = int(np.count_nonzero(found != wanted))
        return f"has {wrong} other numbers of {wanted.size}" if wrong else ""
    is_real = np.isfinite(wanted)
    got, right = found[is_real].astype(np.float64), wanted[is_real].astype(np.float64)
    if not right.size:
        return ""
    share = np.abs(got - right).max() / max(np.abs(right).max(), SMALL_OUTPUT)
    limit = HALF_DIFFERENCE if wanted.dtype.itemsize == 2 else LARGEST_DIFFERENCE
    # Not a number is no less than anything.
    return "" if share <= limit else f"differs by {share:.2g} of the largest number"
