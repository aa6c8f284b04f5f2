"""LiteRT (`ai-edge-litert`), Google's maintained TFLite interpreter."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit_runtimes.engines import Model
from edgekit_runtimes.engines.interpreter import InterpreterModel
from edgekit_runtimes.engines.signature import SignatureModel
from edgekit_runtimes.errors import EngineError, map_exceptions

NAME = "litert"
PACKAGE = "ai-edge-litert"
IMPORT_NAME = "ai_edge_litert.interpreter"
FORMAT = "tflite"


def version() -> str:
    """Return the version of the distribution."""
    return importlib.metadata.version(PACKAGE)


def load(path: Path, options: Mapping[str, Any]) -> Model:
    """Return the model, ready to run.

    options: "threads", 1 by default; "signature", one of several that the file has (default: that
    of its main graph). Raises EngineError.
    """
    with map_exceptions(f"{NAME} cannot be imported", EngineError):
        from ai_edge_litert.interpreter import Interpreter
    if options.get("signature"):
        return SignatureModel(Interpreter, NAME, path, options)
    return InterpreterModel(Interpreter, NAME, path, options)
