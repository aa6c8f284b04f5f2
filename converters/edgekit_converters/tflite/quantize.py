"""The float TFLite file, quantized by the LiteRT quantizer."""

from __future__ import annotations

import contextlib
import io as streams
from collections.abc import Iterable
from typing import Any

from ai_edge_litert import schema_py_generated as schema
from litert_quantizer import calibrator, quantizer, recipe_manager
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
from edgekit_converters.mixed.net import Operator
from edgekit_converters.tflite.kept import kept_scopes, scope_of
from edgekit_converters.tflite.rest import store_rest
from edgekit_runtimes.errors import NotAvailableError

# The quantizer's own default is 16 threads, which on a small machine are slower than its cores.
CALIBRATION_THREADS = 2

EVERYTHING = ".*"

# 16-bit activations have bits to spare beside 8-bit weights: ranges eight times as wide as those
# seen cost .1 to .2 dB of 41 to 47, and hold on new samples where the ranges seen do not: on 1,000
# of them, with values of a long tail, 41.2 dB instead of 23.6 after 300 samples, and 41.4 instead
# of 9.2 after 4. Four times as wide lacks 10 dB there.
HEADROOM = 8.0
WIDE_BITS = 16


def fp32() -> None:
    """Return no steps: the float file is the artifact."""


def fp16() -> Any:
    """Return the steps that store the weights as float16; computing stays in float32."""
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


def quantize(
    float_model: bytes,
    steps: Any,
    ranges: Any = None,
    io: str = "float",
    floats: Iterable[Operator] = (),
) -> bytes:
    """Return the file that the quantizer makes by `steps`, with what it leaves stored as small.

    ranges: of static steps, by tensor: see `measure_ranges`. io: "float" leaves the inputs and
    outputs of static ones as they are. floats: operators that compute in float.
    """
    # Its progress bars cannot be turned off.
    with contextlib.redirect_stderr(streams.StringIO()):
        steps, activation_bits = list(steps), None
        settings = steps[0]["op_config"]
        if ranges is not None:
            activation_bits = settings["activation_tensor_config"]["num_bits"]
            if io == "float":
                steps += [_left_alone(TFLOperationName.INPUT), _left_alone(TFLOperationName.OUTPUT)]
        weight_bits = settings["weight_tensor_config"]["num_bits"]
        scopes = kept_scopes(float_model, weight_bits, activation_bits, ranges or {})
        for scope in dict.fromkeys((*scopes, *(scope_of(one.makes) for one in floats))):
            steps.append(_left_alone(TFLOperationName.ALL_SUPPORTED, scope))
        if activation_bits == WIDE_BITS:
            ranges = _widened(ranges)
        worker = quantizer.Quantizer(bytearray(float_model), steps)
        quantized = worker.quantize(ranges, enable_progress_bar=False, enable_progress_report=False)
        return store_rest(bytes(quantized.quantized_model), weight_bits)


def measure_ranges(float_model: bytes, calibration: Calibration) -> Any:
    """Return the smallest and largest value that each tensor took over all samples.

    Raises NotAvailableError for a model with loops.

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
    with contextlib.redirect_stderr(streams.StringIO()):
        worker.calibrate(for_litert(calibration, SIGNATURE_KEY), recipe_manager.RecipeManager())
    return worker.get_model_qsvs()


def _widened(ranges: Any) -> Any:
    """Return the ranges with room for values beyond what calibration saw."""
    ends = ("min", "max")
    return {
        name: {**found, **{end: HEADROOM * found[end] for end in ends if end in found}}
        for name, found in ranges.items()
    }


def _left_alone(operation: TFLOperationName, scope: str = EVERYTHING) -> dict[str, Any]:
    return {
        "regex": scope,
        "operation": operation,
        "algorithm_key": AlgorithmName.NO_QUANTIZE,
    }
