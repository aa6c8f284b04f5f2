"""Fold what is constant, by onnxruntime's basic optimizations.

They know no hardware and write standard operators. They fold every `If` whose condition is
constant, shapes that do not depend on the batch, and batch norms into convolutions.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from edgekit_runtimes.errors import SourceError, map_exceptions
from edgekit_runtimes.owned.folder import temporary_folder

NOTHING = 4
# These move transpositions to where they are cheap for onnxruntime, and write a dense layer over
# three axes as two reshapes around a Gemm; both hide what the importer looks for.
LEFT_OUT = ["TransposeOptimizer", "MatMulAddFusion"]


def session_of(model: bytes, options: Any | None = None, left_out: list[str] | None = None) -> Any:
    """Return a session of onnxruntime that prints nothing: its errors say it themselves."""
    options = options or onnxruntime.SessionOptions()
    options.log_severity_level = NOTHING
    return onnxruntime.InferenceSession(
        model, options, providers=["CPUExecutionProvider"], disabled_optimizers=left_out
    )


def simplify(model: Any) -> tuple[Any, Any]:
    """Return a session of a model as it is, and the model simplified.

    Raises SourceError where onnxruntime does not take the model.
    """
    with temporary_folder() as folder:
        path = Path(folder) / "simplified.onnx"
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(path)
        with map_exceptions("onnxruntime does not take the model", SourceError):
            session = session_of(model.SerializeToString(), options, LEFT_OUT)
            return session, onnx.load(path)


def plain_session(model: Any) -> Any:
    """Return a session that computes every tensor of a model as it stands."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return session_of(model.SerializeToString(), options)
