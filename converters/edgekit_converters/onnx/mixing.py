"""ONNX artifacts some of whose layers compute in float beside int8 ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx

from edgekit_converters.calibration import Calibration
from edgekit_converters.left import notes_of
from edgekit_converters.mixing import Layer, check_layers
from edgekit_converters.onnx.compact import compact
from edgekit_converters.onnx.float_model.export import taken_notes
from edgekit_converters.onnx.graph import float_constants
from edgekit_converters.onnx.quiet import quiet
from edgekit_converters.onnx.static.quantize import measure_ranges, quantized
from edgekit_runtimes.errors import ConversionError, UsageError, map_exceptions

LEVELS = ("int8-weights",)
# Those that onnxruntime's quantizer makes integers of, with a constant at this place.
KERNELS = {"Conv": 1, "ConvTranspose": 1, "MatMul": 1, "Gemm": 1}
# As `static` has it where nothing is tried: x86 without VNNI saturates with 8.
WEIGHT_BITS = 7


def layers(path: Path) -> Sequence[Layer]:
    """Return the layers of a float file: nodes with a constant kernel."""
    return list(_layers(onnx.load(path)))


def write(
    prepared: onnx.ModelProto,
    quantization: str,
    layers: Mapping[str, str],
    path: Path,
    calibration: Calibration | None,
) -> tuple[str, ...]:
    """Write an int8 artifact whose named layers compute in float, with int8 weights.

    Raises ConversionError for a layer that the model does not have.
    """
    if quantization != "int8":
        raise ConversionError(
            f"ONNX mixes precisions in int8 only, and the plan is {quantization}."
        )
    if calibration is None:
        raise UsageError("int8 needs calibration data: --calibration DATA")
    check_layers(layers, [one.name for one in _layers(prepared)], LEVELS)
    model = onnx.ModelProto()
    model.CopyFrom(prepared)
    with map_exceptions("Writing ONNX int8 failed", ConversionError), quiet("root"):
        made_so = taken_notes(model)
        found = zip(_layers(model), _nodes(model), strict=True)
        floats = {node.name for layer, node in found if layer.name in layers}
        ranges = measure_ranges(model, calibration)
        made, notes = quantized(model, ranges, WEIGHT_BITS, floats)
        left = float_constants(made.graph)
        compact(made)
        made.producer_name, made.producer_version = "edgekit", ""
        onnx.save(made, path)
    return (*made_so, *notes, *notes_of(left, path.stat().st_size))


def _layers(model: onnx.ModelProto) -> Iterator[Layer]:
    """Yield the layers under numbered names: those of tensors are shortened in an artifact."""
    sizes = {one.name: int(np.prod(one.dims)) for one in model.graph.initializer}
    for number, node in enumerate(_nodes(model)):
        weights = sizes[node.input[KERNELS[node.op_type]]]
        # Without shapes of what it makes: how often each weight is used is not known.
        yield Layer(f"{node.op_type} {number}", node.op_type, weights, weights)


def _nodes(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    constants = {one.name for one in model.graph.initializer}
    return [
        node
        for node in model.graph.node
        if node.op_type in KERNELS and node.input[KERNELS[node.op_type]] in constants
    ]
