"""The outputs of `edgekit run` as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.run.artifact import Outputs
from edgekit.text.units import significant
from edgekit_runtimes.tensors import Array

if TYPE_CHECKING:
    from rich.console import Console

TOP = 5
SHOWN_SAMPLES = 8
SHOWN_VALUES = 10


def print_outputs(outputs: Outputs, console: Console) -> None:
    """Print each output: the five likeliest classes per sample, or its first values."""
    for name, array in outputs.arrays.items():
        sizes = ", ".join(map(str, array.shape[1:]))
        console.print(
            f"{name}: {array.dtype.name}[{sizes}], {len(array)} samples",
            highlight=False,
            markup=False,
        )
        for number, sample in enumerate(array[:SHOWN_SAMPLES]):
            text = _top(sample, outputs.classes) or _values(sample)
            console.print(f"  {number}  {text}", highlight=False, markup=False)
        if len(array) > SHOWN_SAMPLES:
            console.print(f"  … {len(array) - SHOWN_SAMPLES} more: write them all with -o Y.npz")


def _top(sample: Array, classes: tuple[str, ...]) -> str:
    """Return the likeliest classes with their scores; "" unless there is one score per class."""
    if not classes or sample.shape != (len(classes),):
        return ""
    best = sample.argsort()[::-1][:TOP]
    return "  ".join(f"{classes[index]} ({significant(float(sample[index]))})" for index in best)


def _values(sample: Array) -> str:
    flat = sample.reshape(-1)
    shown = "  ".join(significant(float(value)) for value in flat[:SHOWN_VALUES])
    return shown + ("  …" if flat.size > SHOWN_VALUES else "")
