"""Load SavedModel folders."""

from __future__ import annotations

import re
from pathlib import Path

import tensorflow as tf

from edgekit_converters.graph.frozen import SIGNATURE_KEY
from edgekit_converters.sources.saved_model import eager, session
from edgekit_converters.sources.saved_model.signature import Signatures
from edgekit_converters.sources.shapes import resolve_shapes
from edgekit_converters.sources.source import Source, SourceOptions
from edgekit_converters.sources.tracing import freeze_traced
from edgekit_runtimes.errors import (
    EdgekitError,
    SourceError,
    UsageError,
    map_exceptions,
    unknown_name,
)

DAMAGED = "{path} could not be read as a SavedModel (damaged or incomplete)"
FINGERPRINT = "fingerprint.pb"
UNKNOWN_OP = r"Op type not registered '(\w+)'"


def load(path: Path, options: SourceOptions) -> Source:
    """Load one signature of a SavedModel.

    Raises UsageError where the choice of a signature is open, SourceError where the folder is
    damaged.
    """
    signatures = _signatures(path)
    name = _choose(path, list(signatures), options.signature)
    signature = signatures[name]()
    if not signature.inputs or not signature.outputs:
        raise SourceError(
            f"The signature '{name}' of {path} has no inputs or no outputs. Choose another with "
            "--signature, or export the model with one."
        )
    inputs = resolve_shapes(path, signature.inputs, options.input_shapes)
    graph, notes = freeze_traced(signature.call, inputs, signature.outputs, path)
    return Source(path=path, graph=graph, run=signature.run, notes=(*signature.notes, *notes))


def _signatures(path: Path) -> Signatures:
    """Return the signatures by the loader that reads the folder."""
    try:
        if (path / FINGERPRINT).exists():
            # Loading would only print a traceback about a damaged one.
            tf.saved_model.experimental.read_fingerprint(str(path))
        if session.is_of_version_1(path):
            return session.signatures(path)
        return _newest(path)
    except EdgekitError:
        raise
    except Exception as error:
        if unknown := re.search(UNKNOWN_OP, str(error)):
            raise SourceError(
                f"{path} computes with the operator '{unknown[1]}', which TensorFlow "
                f"{tf.__version__} does not have: it comes from another package. Export the model "
                "without it."
            ) from error
        with map_exceptions(DAMAGED.format(path=path), SourceError):
            raise


def _newest(path: Path) -> Signatures:
    """Load a SavedModel of TensorFlow 2: in a session where its own loader fails.

    That loader wants the class of every object, such as an optimizer of Keras 2.
    """
    try:
        return eager.signatures(path)
    except Exception as error:
        try:
            return session.signatures(path)
        except Exception:
            # A damaged folder is none for a session either: the first reason counts.
            raise error from None


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
