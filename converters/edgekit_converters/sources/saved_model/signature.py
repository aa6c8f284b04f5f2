"""A signature of a SavedModel, whichever loader read it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tensorflow as tf

from edgekit_runtimes.errors import SourceError
from edgekit_runtimes.tensors import Arrays, TensorSpec


@dataclass(frozen=True)
class Signature:
    """What a SavedModel computes under one name.

    inputs: as the signature declares them. outputs: their names, sorted: a SavedModel keeps no
    order of them, and theirs changes from one load to the next.
    call: symbolic tensors by name to symbolic results, while a function is being traced.
    run: the loaded model itself, on arrays. notes: what the user should know.
    """

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[str, ...]
    call: Callable[[Mapping[str, Any]], Mapping[str, Any]]
    run: Callable[[Mapping[str, object]], Arrays]
    notes: tuple[str, ...] = ()


# A signature by its name, made only when it is asked for.
Signatures = Mapping[str, Callable[[], Signature]]


def clean(name: str) -> str:
    """Return the name of an input or output with only what a function's argument may hold."""
    return re.sub(r"\W", "_", name)


def sizes(shape: tf.TensorShape, path: Path, name: str) -> tuple[int | None, ...]:
    """Return a shape as a tuple. Raises SourceError where the number of axes is not known."""
    if shape.rank is None:
        raise SourceError(
            f"Input '{name}' of {path} has no known number of axes. "
            "Export it with a signature that says its shape."
        )
    return tuple(shape)
