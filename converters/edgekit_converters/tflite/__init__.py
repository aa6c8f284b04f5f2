"""TFLite: a float file by TensorFlow's converter, all others from it by the LiteRT quantizer.

Quantizing while converting is deprecated by its makers; converting to float once and quantizing
that file is what they advise (LiteRT's documentation, "model optimization"), and it is quicker.
"""

from __future__ import annotations

import contextlib
import io as streams
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flatbuffers
import tensorflow as tf
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
from edgekit_converters.graph.frozen import SIGNATURE_KEY, FrozenGraph
from edgekit_runtimes.errors import ConversionError, NotAvailableError, UsageError, map_exceptions

NOT_AVAILABLE: Mapping[str, str] = {}
ENGINE_OPTIONS: Mapping[str, Mapping[str, Any]] = {}

STATIC = ("int8", "int16x8")

# The quantizer's own default is 16 threads, which on a small machine are slower than its cores.
CALIBRATION_THREADS = 2

EVERYTHING = ".*"


def prepare(graph: FrozenGraph) -> bytes:
    """Return the float TFLite file of a frozen graph, from which every artifact is made.

    Raises ConversionError naming the operators that TFLite does not have.
    """
    with tempfile.TemporaryDirectory() as folder:
        saved = graph.save(Path(folder) / "frozen")
        converter = tf.lite.TFLiteConverter.from_saved_model(
            str(saved), signature_keys=[SIGNATURE_KEY]
        )
        try:
            return _shorten_names(bytes(converter.convert()))
        except Exception as error:
            # The converter's text is a screenful of MLIR; the operators in it are what matters.
            missing = sorted(set(re.findall(r"tf\.(\w+)\(", str(error).split("Details:")[-1])))
            if "op is neither a custom op nor a flex op" in str(error) and missing:
                raise ConversionError(
                    f"TFLite has no operator for: {', '.join(missing)}. "
                    "Replace those layers, or leave the format out with --to."
                ) from error
            with map_exceptions("TFLite conversion failed", ConversionError):
                raise


def write(
    float_model: bytes,
    quantization: str,
    path: Path,
    calibration: Calibration | None,
    io: str,
) -> tuple[str, ...]:
    """Write the artifact of one quantization to `path` and return notes for the user.

    quantization: "fp32"; "fp16" (weights half, computing in float32); "int8-weights" (computing
    in float32: smaller, no faster); "int8-dynamic" and "int4-dynamic" (activations quantized at
    run time: slower than float on depthwise nets, faster on plain ones); "int8" and "int16x8"
    (static: need calibration).
    io: "int8" gives a static int8 artifact integer inputs and outputs.
    """
    if io == "int8" and quantization not in STATIC:
        raise UsageError(f"--io int8 needs a static recipe (int8), not {quantization}.")
    if quantization == "fp32":
        path.write_bytes(float_model)
        return ()
    with (
        map_exceptions(f"The LiteRT quantizer failed on {quantization}", ConversionError),
        # Its progress bars have no switch.
        contextlib.redirect_stderr(streams.StringIO()),
    ):
        worker = quantizer.Quantizer(bytearray(float_model), _recipe(quantization, io))
        result = None
        if quantization in STATIC:
            if calibration is None:
                raise UsageError(f"{quantization} needs calibration data: --calibration DATA")
            if schema.Model.GetRootAsModel(float_model, 0).SubgraphsLength() > 1:
                raise NotAvailableError(
                    "the LiteRT quantizer cannot quantize a model with loops statically; "
                    "int8-dynamic can"
                )
            result = _ranges(float_model, calibration)
        quantized = worker.quantize(result, enable_progress_bar=False, enable_progress_report=False)
        path.write_bytes(bytes(quantized.quantized_model))
    return ()


def _ranges(float_model: bytes, calibration: Calibration) -> Any:
    """Return the smallest and largest value that each tensor took over all samples.

    The quantizer's own `calibrate` keeps a moving average instead, in which the last twenty
    samples decide. Its other mode keeps every tensor of a run in Python: slower.
    """
    worker = calibrator.Calibrator(
        float_model,
        num_threads=CALIBRATION_THREADS,
        mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=qsv_utils.min_max_update,
    )
    worker.calibrate(for_litert(calibration, SIGNATURE_KEY), recipe_manager.RecipeManager())
    return worker.get_model_qsvs()


def _recipe(quantization: str, io: str) -> Any:
    if quantization == "int8-weights":
        return recipe.weight_only_wi8_afp32()
    if quantization == "int8-dynamic":
        return recipe.dynamic_wi8_afp32()
    if quantization == "int4-dynamic":
        return recipe.dynamic_wi4_afp32()
    if quantization == "fp16":
        return _fp16()
    static = recipe.static_wi8_ai8() if quantization == "int8" else recipe.static_wi8_ai16()
    if io == "float":
        for edge in (TFLOperationName.INPUT, TFLOperationName.OUTPUT):
            static.append(
                {
                    "regex": EVERYTHING,
                    "operation": edge,
                    "algorithm_key": AlgorithmName.NO_QUANTIZE,
                }
            )
    return static


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


def _shorten_names(model: bytes) -> bytes:
    """Return the file with each tensor named by one node instead of all that were fused into it.

    The converter joins them with ";", which makes a tenth of a small model's file.
    """
    tree = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(model, 0))
    for subgraph in tree.subgraphs:
        taken: set[str] = set()
        for number, tensor in enumerate(subgraph.tensors):
            short = tensor.name.decode().split(";")[0]
            # The quantizer finds tensors by name, so names stay unique.
            tensor.name = f"{short}_{number}" if short in taken else short
            taken.add(tensor.name)
    builder = flatbuffers.Builder(len(model))
    builder.Finish(tree.Pack(builder), file_identifier=b"TFL3")
    return bytes(builder.Output())
