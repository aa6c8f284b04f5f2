"""fp16: weights and computing in half precision, inputs and outputs as they were."""

from __future__ import annotations

import onnx
from onnxruntime.transformers.float16 import convert_float_to_float16

from edgekit_converters.calibration import Calibration
from edgekit_converters.onnx.graph import sort_nodes


def quantize(
    model: onnx.ModelProto, _calibration: Calibration | None
) -> tuple[onnx.ModelProto, tuple[str, ...]]:
    """Return the model in half precision. Its inputs and outputs keep their dtypes.

    onnxruntime's converter is used: onnxconverter-common's (1.16) writes loops that do not load,
    and clips weights at 10,000. Weights beyond float16's range become its largest value.
    """
    half: onnx.ModelProto = convert_float_to_float16(
        model, keep_io_types=True, disable_shape_infer=True
    )
    # The casts of the inputs are appended after the nodes that read them.
    sort_nodes(half.graph)
    return half, ()
