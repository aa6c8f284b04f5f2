"""onnxruntime on the CPU."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_runtimes.engines import Model
from edgekit_runtimes.errors import EngineError, map_exceptions
from edgekit_runtimes.tensors import Arrays, TensorSpec

NAME = "onnxruntime"
PACKAGE = "onnxruntime"
IMPORT_NAME = "onnxruntime"
FORMAT = "onnx"

LOG_ERRORS_ONLY = 3

# For int8 weights under float activations. Otherwise onnxruntime takes their DequantizeLinear for
# a half of QDQ: mbv2 becomes 2.3 times slower than fp32, and a MatMul becomes MatMulNBits, which
# rounds the activations to int8 as well (accuracy level 4).
# https://github.com/microsoft/onnxruntime/pull/27614
DISABLE_QUANT_QDQ = "session.disable_quant_qdq"

_DTYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(bool)": "bool",
    **{
        f"tensor({sign}int{bits})": f"{sign}int{bits}"
        for sign in ("", "u")
        for bits in (8, 16, 32, 64)
    },
}


def version() -> str:
    """Return the version of the distribution."""
    return importlib.metadata.version(PACKAGE)


def load(path: Path, options: Mapping[str, Any]) -> Model:
    """Return the model, ready to run.

    options: {"threads": int, "disable_quant_qdq": bool}, 1 and False by default; the latter is
    for artifacts with int8 weights only. Raises EngineError.
    """
    with map_exceptions(f"{NAME} cannot be imported", EngineError):
        import onnxruntime
    with map_exceptions(f"{NAME} cannot load {path}", EngineError):
        settings = onnxruntime.SessionOptions()
        settings.log_severity_level = LOG_ERRORS_ONLY
        settings.intra_op_num_threads = options.get("threads", 1)
        settings.inter_op_num_threads = 1
        if options.get("disable_quant_qdq", False):
            settings.add_session_config_entry(DISABLE_QUANT_QDQ, "1")
        session = onnxruntime.InferenceSession(
            str(path), settings, providers=["CPUExecutionProvider"]
        )
    return SessionModel(session, path)


class SessionModel:
    """An ONNX file in an `InferenceSession`.

    Integer inputs and outputs stay as they are: an ONNX graph states no scale for them.
    """

    def __init__(self, session: Any, path: Path) -> None:
        self._session = session
        self._run_failed = f"{NAME} cannot run {path}"
        self.inputs = tuple(_spec(entry, path) for entry in session.get_inputs())
        self.outputs = tuple(_spec(entry, path) for entry in session.get_outputs())

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for one sample. Raises EngineError."""
        names = [spec.name for spec in self.outputs]
        with map_exceptions(self._run_failed, EngineError):
            results = self._session.run(names, self._feed(inputs))
        return {name: np.asarray(result) for name, result in zip(names, results, strict=True)}

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        """Return a function that runs the session on these inputs and reads the outputs back."""
        names = [spec.name for spec in self.outputs]
        feed = self._feed(inputs)
        run = self._session.run

        def call() -> object:
            return run(names, feed)

        return call

    def _feed(self, inputs: Arrays) -> Arrays:
        # The session copies what is not contiguous, on every run. (np.ascontiguousarray would
        # turn a scalar into a vector.)
        return {spec.name: np.asarray(inputs[spec.name], order="C") for spec in self.inputs}


def _spec(entry: Any, path: Path) -> TensorSpec:
    if entry.type not in _DTYPES:
        raise EngineError(
            f"{NAME} cannot run {path}: '{entry.name}' is a {entry.type}, "
            "and edgekit handles tensors of numbers only."
        )
    return TensorSpec(
        name=entry.name,
        shape=tuple(size if isinstance(size, int) else None for size in entry.shape),
        dtype=_DTYPES[entry.type],
    )
