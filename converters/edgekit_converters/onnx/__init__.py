"""ONNX: the float model by tf2onnx, every other one from it, in memory.

Static int8 and int8-dynamic are onnxruntime's own quantizers; what only stores weights otherwise
(int8-weights, int4-dynamic) is written here.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx import dynamic, int4, static, weights
from edgekit_converters.onnx.compact import compact
from edgekit_converters.onnx.export import prepare
from edgekit_converters.onnx.half import to_float16
from edgekit_converters.onnx.quiet import quiet
from edgekit_runtimes.errors import (
    ConversionError,
    NotAvailableError,
    UsageError,
    map_exceptions,
)

__all__ = ["ENGINE_OPTIONS", "NOT_AVAILABLE", "prepare", "write"]

NOT_AVAILABLE: Mapping[str, str] = {
    "int16x8": "onnxruntime has no kernels for 16-bit activations with 8-bit weights",
}

# Without it onnxruntime computes the DequantizeLinear of each kernel in every run: twice the time
# of fp32 on MobileNetV2. With it they are folded once, at load, and the time is that of fp32.
ENGINE_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "int8-weights": {"disable_quant_qdq": True},
}


def write(
    prepared: onnx.ModelProto,
    quantization: str,
    path: Path,
    calibration: Calibration | None,
    io: str = "float",
) -> tuple[str, ...]:
    """Write the artifact of one quantization to `path` and return notes for the user.

    quantization: "fp32"; "fp16" (weights and computing half, float32 inputs and outputs; slower
    on most CPUs); "int8-weights" (computing in float32: smaller, no faster); "int8-dynamic" and
    "int4-dynamic" (dense layers only, activations quantized at run time); "int8" (static: needs
    calibration, which runs the float model on each sample).
    io: "int8" is refused: integer inputs and outputs are TFLite's.
    Raises NotAvailableError where the model has nothing that the quantization covers.
    """
    if quantization in NOT_AVAILABLE:
        raise NotAvailableError(NOT_AVAILABLE[quantization])
    if io == "int8":
        raise NotAvailableError("--io int8 is for TFLite: an ONNX artifact has float I/O")
    model = onnx.ModelProto()
    model.CopyFrom(prepared)
    notes: tuple[str, ...] = ()
    with map_exceptions(f"Writing ONNX {quantization} failed", ConversionError), quiet("root"):
        if quantization == "fp16":
            model = to_float16(model)
        elif quantization == "int8-weights":
            weights.quantize(model)
        elif quantization == "int8-dynamic":
            model, notes = dynamic.quantize(model)
        elif quantization == "int4-dynamic":
            notes = int4.quantize(model)
        elif quantization == "int8":
            if calibration is None:
                raise UsageError("int8 needs calibration data: --calibration DATA")
            model, notes = static.quantize(model, calibration)
        elif quantization != "fp32":
            raise NotAvailableError(f"ONNX has no quantization named {quantization}")
        compact(model)
        model.producer_name, model.producer_version = "edgekit", ""
        onnx.save(model, path)
    return notes
