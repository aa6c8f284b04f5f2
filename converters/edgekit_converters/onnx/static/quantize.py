"""The int8 model of a float one, by onnxruntime's quantizer."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationMethod, QuantType
from onnxruntime.quantization.calibrate import TensorsData
from onnxruntime.quantization.qdq_quantizer import QDQQuantizer
from onnxruntime.quantization.quant_utils import add_infer_metadata
from onnxruntime.quantization.registry import QDQRegistry, QLinearOpsRegistry

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx.graph import layers, sort_nodes
from edgekit_converters.onnx.loops import shield_loops
from edgekit_converters.onnx.static.engine import session_of
from edgekit_converters.onnx.static.floats import store_kernels
from edgekit_converters.onnx.static.head import keep_head_float
from edgekit_converters.onnx.static.masks import masked_nodes
from edgekit_converters.onnx.static.ties import keep_off_ties
from edgekit_converters.onnx.tables import lookup_names, store_tables
from edgekit_converters.onnx.weights import store_int8
from edgekit_runtimes.errors import ConversionError, NotAvailableError
from edgekit_runtimes.tensors import Arrays

Ranges = dict[str, tuple[np.float32, np.float32]]

# Of a tensor that stays in floats: the quantizer wants one of each.
NO_RANGE = (np.float32(0), np.float32(0))
CLIPPING_OPS = frozenset({"Clip", "Relu"})


MATRIX_RANK = 2


class _Quantizer(QDQQuantizer):  # type: ignore[misc]
    """onnxruntime's quantizer, with scales that keep sums off ties.

    They have to be set before the biases are quantized, whose scales follow from them: onnxruntime
    computes a layer in floats where they do not fit.
    """

    def is_tensor_per_channel(
        self, tensor_name: str, default_axis: int, op_type: str | None = None
    ) -> tuple[bool, int | None]:
        """Give the kernels of a MatMul that are many matrices one scale for all.

        Its own answer is axis 1 whatever the rank, which is along the sums there, and which
        onnxruntime refuses when it runs.
        """
        weight = self.initializers.get(tensor_name)
        if op_type == "MatMul" and weight is not None and len(weight.dims) > MATRIX_RANK:
            return False, None
        answer: tuple[bool, int | None] = super().is_tensor_per_channel(
            tensor_name, default_axis, op_type
        )
        return answer

    def _quantize_bias_tensors(self) -> None:
        keep_off_ties(self.model.model.graph)
        super()._quantize_bias_tensors()


def quantized(
    float_model: onnx.ModelProto,
    ranges: Ranges,
    weight_bits: int,
    floats: AbstractSet[str] = frozenset(),
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return the model with int8 weights (one scale per channel) and uint8 activations, and notes.

    uint8 activations with int8 weights are what onnxruntime's documentation advises for x86, and
    they run on ARM. weight_bits: 7 of the 8 bits of weights, or all: x86 without VNNI adds two
    products in 16 bits, where 2 x 255 x 127 saturates and 2 x 255 x 64 does not (8 bits: 16.8 dB
    there instead of 33.0, on the digits net; 7 bits: 28.8). The outputs are the same to the last
    bit on x86-64 and ARM64, since means and sums are written so that onnxruntime's kernels agree; a
    Softmax at the end is float and may differ.
    floats: the names of nodes that compute in float; their kernels are stored as int8.
    onnxruntime does not look into loops: their kernels are only stored as int8. Raises
    NotAvailableError where nothing else is in the model.
    """
    model = onnx.ModelProto()
    model.CopyFrom(float_model)
    ranges = dict(ranges)
    largest = {name: float(np.abs(ends).max()) for name, ends in ranges.items()}
    masked = masked_nodes(model.graph, largest)
    for name in (name for node in model.graph.node if node.name in masked for name in node.output):
        if np.isinf(ranges.get(name, NO_RANGE)).any():
            ranges[name] = NO_RANGE
    check_finite(ranges)
    in_loops = [layer.in_loop for layer in layers(model.graph)]
    clipped = {node.output[0] for node in model.graph.node if node.op_type in CLIPPING_OPS}
    # Its own tables have one scale for all rows, and 7 bits.
    lookups = lookup_names(model.graph)
    # Without this mark the quantizer writes the model to a file and reads it back.
    add_infer_metadata(model)
    quantizer = _Quantizer(
        model,
        per_channel=True,
        reduce_range=weight_bits < 8,
        weight_qType=QuantType.QInt8,
        activation_qType=QuantType.QUInt8,
        tensors_range=TensorsData(CalibrationMethod.MinMax, ranges),
        nodes_to_quantize=[],
        nodes_to_exclude=[*masked, *lookups, *sorted(floats)],
        op_types_to_quantize=sorted({*QDQRegistry, *QLinearOpsRegistry}),
        extra_options={},
    )
    quantizer.quantize_model()
    made: onnx.ModelProto = quantizer.model.model
    tables = store_tables(made)
    if not tables and all(node.op_type != "QuantizeLinear" for node in made.graph.node):
        raise NotAvailableError(
            "onnxruntime quantizes no part of this model (it does not look into loops)"
        )
    keep_head_float(made.graph, clipped)
    store_kernels(made, floats)
    if any(in_loops):
        store_int8(made)
    shield_loops(made.graph)
    sort_nodes(made.graph)
    if not any(in_loops):
        return made, ()
    return made, (
        f"{sum(in_loops)} of {len(in_loops)} layers are in a loop: "
        "their weights are int8, their computing is float",
    )


def measure_ranges(model: onnx.ModelProto, calibration: Calibration) -> Ranges:
    """Return the smallest and largest value of each float tensor over the calibration samples.

    One sample is in memory at a time, however many there are. Written here: onnxruntime's own
    MinMaxCalibrater keeps the results of all samples (its option against that,
    CalibMaxIntermediateOutputs, loses them instead), and takes three times as long.
    """
    ranges: Ranges = {}
    for outputs in _run_all(model, calibration):
        for name, values in outputs.items():
            low, high = values.min(), values.max()
            known = ranges.get(name, (low, high))
            # Not min(): NaN has to win here, to be found below.
            ranges[name] = (np.minimum(known[0], low), np.maximum(known[1], high))
    return ranges


def joined(first: Ranges, second: Ranges) -> Ranges:
    """Return the ranges of both."""
    return {
        name: (np.minimum(low, second[name][0]), np.maximum(high, second[name][1]))
        if name in second
        else (low, high)
        for name, (low, high) in first.items()
    }


def check_finite(ranges: Ranges) -> None:
    """Raise ConversionError where a range that is needed is not finite."""
    for name, (low, high) in ranges.items():
        if not (np.isfinite(low) and np.isfinite(high)):
            raise ConversionError(
                f"Calibration gives tensor '{name}' the range {low} to {high}, which cannot be "
                "quantized. Look for NaN or infinity in the model's weights and in the data."
            )


def _run_all(model: onnx.ModelProto, calibration: Calibration) -> Iterator[Arrays]:
    """Yield all float tensors of the model, inputs and outputs included, for each sample."""
    watched = onnx.ModelProto()
    watched.CopyFrom(model)
    outputs = {output.name for output in model.graph.output}
    made = {name for node in model.graph.node for name in node.output}
    watched.graph.output.extend(
        value
        for value in model.graph.value_info
        if value.name in made - outputs
        and value.type.tensor_type.elem_type == onnx.TensorProto.FLOAT
    )
    session = session_of(watched)
    names = [output.name for output in session.get_outputs()]
    inputs = [entry.name for entry in session.get_inputs()]
    for sample in calibration:
        feeds = {name: sample[name] for name in inputs}
        results = dict(zip(names, session.run(None, feeds), strict=True))
        yield {
            name: values
            for name, values in {**feeds, **results}.items()
            if values.dtype == np.float32 and values.size
        }
