"""The float TFLite file, quantized by the LiteRT quantizer: one function per quantization."""

from __future__ import annotations

import contextlib
import io as streams
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import calibrator, quantizer, recipe, recipe_manager
from litert_quantizer.algorithm_manager import AlgorithmName
from litert_quantizer.qtyping import (
    ComputePrecision,
    OpQuantizationConfig,
    TensorDataType,
    TensorQuantizationConfig,
    TFLOperationName,
)
from litert_quantizer.utils import qsv_utils

from edgekit_converters.calibration import Calibration, for_litert
from edgekit_converters.graph.frozen import SIGNATURE_KEY
from edgekit_runtimes.errors import NotAvailableError

# The quantizer's own default is 16 threads, which on a small machine are slower than its cores.
CALIBRATION_THREADS = 2

EVERYTHING = ".*"


def fp32(float_model: bytes, _calibration: Calibration | None, _io: str) -> bytes:
    """Return the float file as it is."""
    return float_model


def fp16(float_model: bytes, _calibration: Calibration | None, _io: str) -> bytes:
    """Store the weights as float16; computing stays in float32."""
    return _quantize(float_model, _fp16())


def int8_weights(float_model: bytes, _calibration: Calibration | None, _io: str) -> bytes:
    """Store the weights as int8; computing stays in float32: smaller, not faster."""
    return _quantize(float_model, recipe.weight_only_wi8_afp32())


def int8_dynamic(float_model: bytes, _calibration: Calibration | None, _io: str) -> bytes:
    """Quantize activations at run time: slower than float on depthwise nets, else faster."""
    return _quantize(float_model, recipe.dynamic_wi8_afp32())


def int4_dynamic(float_model: bytes, _calibration: Calibration | None, _io: str) -> bytes:
    """Store the weights in 4 bits and quantize activations at run time."""
    return _quantize(float_model, recipe.dynamic_wi4_afp32())


def int8(float_model: bytes, calibration: Calibration, io: str) -> bytes:
    """Compute in int8; with io "int8" the inputs and outputs are int8 too."""
    return _quantize(float_model, _with_io(recipe.static_wi8_ai8(), io), calibration)


def int16x8(float_model: bytes, calibration: Calibration, io: str) -> bytes:
    """Compute with 16-bit activations and 8-bit weights."""
    return _quantize(float_model, _with_io(recipe.static_wi8_ai16(), io), calibration)


def _quantize(float_model: bytes, steps: Any, calibration: Calibration | None = None) -> bytes:
    """Return the file that the quantizer makes of `steps`; with calibration, a static one.

    Raises NotAvailableError for a static one of a model with loops.
    """
    # Its progress bars have no switch.
    with contextlib.redirect_stderr(streams.StringIO()):
        worker = quantizer.Quantizer(bytearray(float_model), steps)
        ranges = _ranges(float_model, calibration) if calibration is not None else None
        quantized = worker.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
        return bytes(quantized.quantized_model)


def _ranges(float_model: bytes, calibration: Calibration) -> Any:
    """Return the smallest and largest value that each tensor took over all samples.

    The quantizer's own `calibrate` keeps a moving average instead, in which the last twenty
    samples decide. Its other mode keeps every tensor of a run in Python: slower.
    """
    if schema.Model.GetRootAsModel(float_model, 0).SubgraphsLength() > 1:
        raise NotAvailableError(
            "the LiteRT quantizer cannot quantize a model with loops statically; int8-dynamic can"
        )
    worker = calibrator.Calibrator(
        float_model,
        num_threads=CALIBRATION_THREADS,
        mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=qsv_utils.min_max_update,
    )
    worker.calibrate(for_litert(calibration, SIGNATURE_KEY), recipe_manager.RecipeManager())
    return worker.get_model_qsvs()


def _with_io(steps: Any, io: str) -> Any:
    """Return the quantizer's steps with inputs and outputs left as they are, unless io is int8."""
    if io == "float":
        for edge in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
            steps.append(
                {
                    "regex": EVERYTHING,
                    "operation": edge,
                    "algorithm_key": AlgorithmName.NO_QUANTIZE,
                }
            )
    return steps


def _fp16() -> Any:
    """Return the recipe that stores the weights as float16 and computes in float32."""
    worker = recipe_manager.RecipeManager()
    worker.add_quantization_config(
        EVERYTHING,
        TFLOperationName.ALL_SUPPORTED,
        OpQuantizationConfig(
            weight_tensor_config=TensorQuantizationConfig(num_bits=16, dtype=TensorDataType.FLOAT),
            compute_precision=ComputePrecision.FLOAT,
            explicit_dequantize=True,
        ),
        AlgorithmName.FLOAT_CASTING,
    )
    return worker.get_quantization_recipe()
