"""Load SavedModel folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from edgekit_converters.graph.frozen import SIGNATURE_KEY
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_converters.sources.source import Source, SourceOptions
from edgekit_converters.sources.tracing import freeze_traced
from edgekit_runtimes.errors import SourceError, UsageError, map_exceptions, unknown_name
from edgekit_runtimes.tensors import Arrays, TensorSpec

FINGERPRINT = "fingerprint.pb"


def load(path: Path, options: SourceOptions) -> Source:
    """Load one signature of a SavedModel.

    Raises UsageError where the choice of a signature is open, SourceError where the folder is
    damaged.
    """
    damaged = f"{path} could not be read as a SavedModel (damaged or incomplete)"
    with map_exceptions(damaged, SourceError):
        if (path / FINGERPRINT).exists():
            # Loading would only print a traceback about a damaged one.
            tf.saved_model.experimental.read_fingerprint(str(path))
        loaded = tf.saved_model.load(str(path))
    name = _choose(path, list(loaded.signatures), options.signature)
    signature = loaded.signatures[name]
    declared = signature.structured_input_signature[1]
    if not declared or not signature.structured_outputs:
        raise SourceError(
            f"The signature '{name}' of {path} has no inputs or no outputs. Choose another with "
            "--signature, or export the model with one."
        )
    inputs = resolve_shapes(
        path,
        tuple(
            TensorSpec(name, _sizes(spec.shape, path, name), spec.dtype.name)
            for name, spec in declared.items()
        ),
        options.input_shapes,
    )
    # A SavedModel keeps no order of its outputs: theirs changes from one load to the next.
    names = sorted(signature.structured_outputs)

    def call(tensors: Mapping[str, Any]) -> dict[str, Any]:
        return dict(signature(**tensors))

    def run(arrays: Mapping[str, object]) -> Arrays:
        results = signature(**{name: tf.constant(array) for name, array in arrays.items()})
        return {name: results[name].numpy() for name in names}

    # Trap: the variables die with `loaded`, not with the signature that reads them.
    run.keep_alive = loaded  # type: ignore[attr-defined]

    graph, notes = freeze_traced(call, inputs, names, path)
    return Source(path=path, graph=graph, run=run, notes=notes)


def _choose(path: Path, names: list[str], wanted: str | None) -> str:
    if not names:
        raise UsageError(
            f"{path} has no signatures, so its inputs and outputs are not known. Save it with "
            "model.export('folder') or tf.saved_model.save(…, signatures=…)."
        )
    if wanted is not None:
        if wanted not in names:
            raise unknown_name("signature", wanted, names)
        return wanted
    if len(names) == 1:
        return names[0]
    if SIGNATURE_KEY in names:
        return SIGNATURE_KEY
    raise UsageError(
        f"{path} has several signatures: {', '.join(names)}. Choose one: --signature {names[0]}"
    )


def _sizes(shape: tf.TensorShape, path: Path, name: str) -> tuple[int | None, ...]:
    if shape.rank is None:
        raise SourceError(
            f"Input '{name}' of {path} has no known number of axes. "
            "Export it with a signature that says its shape."
        )
    return tuple(shape)
