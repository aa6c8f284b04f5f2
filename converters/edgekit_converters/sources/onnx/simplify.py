"""Fold what is constant, by onnxruntime's basic optimizations.

They know no hardware and write standard operators. They fold every `If` whose condition is
constant, shapes that do not depend on the batch, and batch norms into convolutions.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import onnx
import onnxruntime

from edgekit_converters.sources.onnx.read import opset_of
from edgekit_runtimes.errors import SourceError, first_line
from edgekit_runtimes.owned.folder import temporary_folder

NOTHING = 4
# What onnxruntime says of a version that came after it.
TOO_NEW = r"Unsupported model IR version|ONNX Runtime only \*guarantees\* support"
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
        try:
            session = session_of(model.SerializeToString(), options, LEFT_OUT)
        except Exception as error:
            if re.search(TOO_NEW, str(error)):
                raise SourceError(
                    f"onnxruntime {onnxruntime.__version__} does not read a model of opset "
                    f"{opset_of(model)} and IR version {model.ir_version}. Export it with an older "
                    "opset, or update onnxruntime."
                ) from error
            raise SourceError(
                f"onnxruntime does not take the model: {first_line(error)}"
            ) from error
        return session, onnx.load(path)


def plain_session(model: Any) -> Any:
    """Return a session that computes every tensor of a model as it stands."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    return session_of(model.SerializeToString(), options)
