"""Write a TFLite artifact."""

from __future__ import annotations

from pathlib import Path

from edgekit_converters.calibration import Calibration
from edgekit_converters.effort import Effort
from edgekit_converters.left import check_changed, notes_of
from edgekit_converters.mixed.damage import Layer
from edgekit_converters.mixed.damage import explain as explain_with
from edgekit_converters.tflite import RECIPES
from edgekit_converters.tflite.explained import TfliteWorkshop
from edgekit_converters.tflite.export import prepare
from edgekit_converters.tflite.quantize import quantize
from edgekit_converters.tflite.rest import left_floats
from edgekit_converters.tflite.static import quantize_statically
from edgekit_runtimes.errors import ConversionError, map_exceptions

__all__ = ["explain", "prepare", "write"]


def write(
    prepared: bytes,
    quantization: str,
    path: Path,
    calibration: Calibration | None,
    io: str = "float",
    effort: Effort = "low",
) -> tuple[str, ...]:
    """Write the artifact of one quantization to `path` and return notes for the user.

    prepared: the float file. io: "int8" gives an int8 artifact integer inputs and outputs.
    Raises NotAvailableError for what RECIPES does not list, and for a model that the quantizer
    cannot quantize so; UsageError where calibration data is missing.
    """
    steps = RECIPES.writer(quantization, calibration is not None, io)()
    if steps is None:
        path.write_bytes(prepared)
        return ()
    with map_exceptions(f"The LiteRT quantizer failed on {quantization}", ConversionError):
        if calibration is not None and RECIPES[quantization].needs_calibration:
            content, notes = quantize_statically(prepared, steps, calibration, io, effort)
            left = left_floats(content)
        else:
            content, notes = quantize(prepared, steps), ()
            left = left_floats(content)
            check_changed(left_floats(prepared), left)
    path.write_bytes(content)
    return (*notes, *notes_of(left, len(content)))


def explain(
    prepared: bytes, quantization: str, path: Path, calibration: Calibration
) -> tuple[Layer, ...]:
    """Return what each operator of a static artifact does to its outputs, the worst first."""
    steps = RECIPES.writer(quantization, calibrated=True)()
    with map_exceptions(f"{path.name} cannot be explained", ConversionError):
        workshop = TfliteWorkshop(prepared, path.read_bytes(), steps, calibration)
        return explain_with(workshop, calibration)
