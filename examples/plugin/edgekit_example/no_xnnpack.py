"""LiteRT without XNNPACK: beside `litert` it shows what that delegate gains.

An engine module imports its interpreter inside its functions only.
"""

from __future__ import annotations

import functools
import importlib.metadata
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit_runtimes.errors import EngineError, map_exceptions

if TYPE_CHECKING:
    from edgekit_runtimes.engines import Model

NAME = "litert-no-xnnpack"
PACKAGE = "ai-edge-litert"
IMPORT_NAME = "ai_edge_litert.interpreter"
FORMAT = "tflite"


def version() -> str:
    """Return the version of LiteRT."""
    return importlib.metadata.version(PACKAGE)


def load(path: Path, options: Mapping[str, Any]) -> Model:
    """Return the model, ready to run. options: {"threads": int}, 1 by default."""
    with map_exceptions(f"{NAME} cannot be imported", EngineError):
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        from edgekit_runtimes.engines.interpreter import InterpreterModel
    plain = functools.partial(
        Interpreter,
        experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    return InterpreterModel(plain, NAME, path, options)
