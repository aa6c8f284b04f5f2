"""Write an ONNX artifact."""

from __future__ import annotations

from pathlib import Path

import onnx

from edgekit_converters.calibration import Calibration
from edgekit_converters.effort import Effort
from edgekit_converters.left import check_changed, notes_of
from edgekit_converters.mixed.damage import Layer
from edgekit_converters.mixed.damage import explain as explain_with
from edgekit_converters.onnx import RECIPES
from edgekit_converters.onnx.compact import compact
from edgekit_converters.onnx.float_model.export import prepare, taken_notes
from edgekit_converters.onnx.graph import float_constants
from edgekit_converters.onnx.quiet import quiet
from edgekit_converters.onnx.static.explained import OnnxWorkshop
from edgekit_runtimes.errors import ConversionError, map_exceptions

__all__ = ["explain", "prepare", "write"]


def write(
    prepared: onnx.ModelProto,
    quantization: str,
    path: Path,
    calibration: Calibration | None,
    io: str = "float",
    effort: Effort = "low",
) -> tuple[str, ...]:
    """Write the artifact of one quantization to `path` and return notes for the user.

    Raises NotAvailableError for what RECIPES does not list, and where the model has nothing that
    the quantization covers; UsageError where calibration data is missing.
    """
    writer = RECIPES.writer(quantization, calibration is not None, io)
    model = onnx.ModelProto()
    model.CopyFrom(prepared)
    with map_exceptions(f"Writing ONNX {quantization} failed", ConversionError), quiet("root"):
        made_so = taken_notes(model)
        if RECIPES[quantization].needs_calibration:
            model, notes = writer(model, calibration, effort)
        else:
            model, notes = writer(model, calibration)
        left = float_constants(model.graph)
        if quantization != "fp32" and not RECIPES[quantization].needs_calibration:
            check_changed(float_constants(prepared.graph), left)
        compact(model)
        model.producer_name, model.producer_version = "edgekit", ""
        onnx.save(model, path)
    if quantization != "fp32":
        notes = (*notes, *notes_of(left, path.stat().st_size))
    return (*made_so, *notes)


def explain(
    prepared: onnx.ModelProto, _quantization: str, path: Path, calibration: Calibration
) -> tuple[Layer, ...]:
    """Return what each node of a static artifact does to its outputs, the worst first."""
    model = onnx.ModelProto()
    model.CopyFrom(prepared)
    with map_exceptions(f"{path.name} cannot be explained", ConversionError), quiet("root"):
        return explain_with(OnnxWorkshop(model, onnx.load(path), calibration), calibration)
