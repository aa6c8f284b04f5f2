"""SavedModels of TensorFlow 2, read by its own loader."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from edgekit_converters.sources.saved_model.signature import Signature, Signatures, clean, sizes
from edgekit_runtimes.tensors import Arrays, TensorSpec


def signatures(path: Path) -> Signatures:
    """Load a SavedModel and return its signatures. TensorFlow raises anything."""
    loaded = tf.saved_model.load(str(path))
    return {name: functools.partial(_signature, loaded, name, path) for name in loaded.signatures}


def _signature(loaded: Any, name: str, path: Path) -> Signature:
    # Trap: the variables die with `loaded`, not with the signature that reads them. What is
    # returned keeps it alive.
    function = loaded.signatures[name]
    declared = {
        clean(key): (key, spec) for key, spec in function.structured_input_signature[1].items()
    }
    results = {clean(key): key for key in sorted(function.structured_outputs)}

    def call(tensors: Mapping[str, Any]) -> dict[str, Any]:
        found = loaded.signatures[name](**{declared[key][0]: x for key, x in tensors.items()})
        return {key: found[original] for key, original in results.items()}

    def run(arrays: Mapping[str, object]) -> Arrays:
        found = call({key: tf.constant(array) for key, array in arrays.items()})
        return {key: result.numpy() for key, result in found.items()}

    return Signature(
        inputs=tuple(
            TensorSpec(key, sizes(spec.shape, path, key), spec.dtype.name)
            for key, (_, spec) in declared.items()
        ),
        outputs=tuple(results),
        call=call,
        run=run,
    )
