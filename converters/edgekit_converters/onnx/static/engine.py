"""An ONNX model run in this process, by the engine that artifacts are made for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import onnx
import onnxruntime

from edgekit_runtimes.tensors import Arrays

ERRORS_ONLY = 3


def session_of(model: onnx.ModelProto, keep_roundings: bool = False) -> Any:
    """Return a session. keep_roundings: lets no QuantizeLinear be fused into anything."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = ERRORS_ONLY
    if keep_roundings:
        options.add_session_config_entry("session.disable_quant_qdq", "1")
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def answers(model: onnx.ModelProto, samples: Iterable[Arrays]) -> list[Arrays]:
    """Return what a model gives for each sample."""
    run = runner(model)
    return [run(sample) for sample in samples]


def runner(model: onnx.ModelProto) -> Callable[[Arrays], Arrays]:
    """Return what runs a model on one sample."""
    session = session_of(model)
    outputs = [output.name for output in session.get_outputs()]
    inputs = [entry.name for entry in session.get_inputs()]

    def run(sample: Arrays) -> Arrays:
        feeds = {name: sample[name] for name in inputs}
        return dict(zip(outputs, session.run(None, feeds), strict=True))

    return run
