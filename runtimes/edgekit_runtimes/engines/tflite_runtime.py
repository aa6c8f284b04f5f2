"""tflite-runtime, the TFLite interpreter that many boards still have.

2.14.0 is its last release; it needs Python <= 3.11 and numpy < 2. On a damaged file it dies with
signal 11; LiteRT raises.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from edgekit_runtimes.engines import Model
from edgekit_runtimes.engines.interpreter import InterpreterModel
from edgekit_runtimes.errors import EngineError, map_exceptions

NAME = "tflite-runtime"
PACKAGE = "tflite-runtime"
IMPORT_NAME = "tflite_runtime.interpreter"
FORMAT = "tflite"
INSTALL = (
    "python3.11 -m venv old && old/bin/pip install tflite-runtime 'numpy<2', "
    "then --on host:old/bin/python"
)


def version() -> str:
    """Return the version of the distribution."""
    return importlib.metadata.version(PACKAGE)


def load(path: Path, options: Mapping[str, Any]) -> Model:
    """Return the model, ready to run. options: {"threads": int}, 1 by default.

    Raises EngineError.
    """
    with map_exceptions(f"{NAME} cannot be imported", EngineError):
        from tflite_runtime.interpreter import Interpreter
    return InterpreterModel(Interpreter, NAME, path, options)
