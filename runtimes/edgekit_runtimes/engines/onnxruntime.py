"""onnxruntime on the CPU."""

from __future__ import annotations

import importlib.metadata
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_runtimes.engines import Model
from edgekit_runtimes.engines.optimized import count_nodes, optimized_execution
from edgekit_runtimes.errors import EngineError, map_exceptions
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec

NAME = "onnxruntime"
PACKAGE = "onnxruntime"
IMPORT_NAME = "onnxruntime"
FORMAT = "onnx"

LOG_ERRORS_ONLY = 3

# A second session holds the weights a second time, and writes them to a file.
MAX_EXPLAINED_BYTES = 200_000_000

# For int8 weights under float activations. Otherwise onnxruntime takes their DequantizeLinear for
# half of QDQ: mbv2 becomes 2.3 times slower than fp32, and a MatMul becomes MatMulNBits, which
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

    options: {"threads": int, "disable_quant_qdq": bool, "fixed": {name: numbers}}, by default 1,
    False and nothing. The second is for artifacts with int8 weights only; the last are inputs that
    always have these values, and are no longer inputs. Raises EngineError.
    """
    with map_exceptions(f"{NAME} cannot be imported", EngineError):
        import onnxruntime
    with map_exceptions(f"{NAME} cannot load {path}", EngineError):
        session = _session(onnxruntime, path, options)
    return SessionModel(session, path, options)


def _session(
    onnxruntime: Any, path: Path, options: Mapping[str, Any], optimized: Path | None = None
) -> Any:
    """Return a session; it writes its graph to the file `optimized`."""
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = LOG_ERRORS_ONLY
    settings.intra_op_num_threads = options.get("threads", 1)
    settings.inter_op_num_threads = 1
    if options.get("disable_quant_qdq", False):
        settings.add_session_config_entry(DISABLE_QUANT_QDQ, "1")
    if optimized:
        settings.optimized_model_filepath = str(optimized)
    return onnxruntime.InferenceSession(str(path), settings, providers=["CPUExecutionProvider"])


class SessionModel:
    """An ONNX file in an `InferenceSession`.

    Integer inputs and outputs stay as they are: an ONNX graph states no scale for them.
    """

    def __init__(self, session: Any, path: Path, options: Mapping[str, Any]) -> None:
        self._session = session
        self._path, self._options = path, options
        self._run_failed = f"{NAME} cannot run {path}"
        fixed = options.get("fixed", {})
        inputs = tuple(_spec(entry, path) for entry in session.get_inputs())
        self.inputs = tuple(spec for spec in inputs if spec.name not in fixed)
        self._fixed = {s.name: fixed_array(s, fixed[s.name]) for s in inputs if s.name in fixed}
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

    def execution(self) -> Execution | None:
        """Return what the session made of the file; None for a file that is too large for that.

        A session does not say, but can write its graph when it is made: so another one is made.
        """
        import onnxruntime

        if self._path.stat().st_size > MAX_EXPLAINED_BYTES:
            return None
        with tempfile.TemporaryDirectory() as folder:
            optimized = Path(folder) / "optimized.onnx"
            _session(onnxruntime, self._path, self._options, optimized)
            nodes = count_nodes(self._path.read_bytes())
            return optimized_execution(optimized.read_bytes(), nodes)

    def _feed(self, inputs: Arrays) -> Arrays:
        # The session copies what is not contiguous, on every run. (np.ascontiguousarray would
        # turn a scalar into a vector.)
        given = {spec.name: np.asarray(inputs[spec.name], order="C") for spec in self.inputs}
        return {**given, **self._fixed}


def fixed_array(spec: TensorSpec, value: object) -> Array:
    """Return numbers as an input takes them; a single one has as many axes as that asks for.

    Raises EngineError where they do not fit.
    """
    array = np.asarray(value, spec.dtype)
    if array.size == 1:
        array = array.reshape([1] * len(spec.shape))
    fits = array.ndim == len(spec.shape) and all(
        size in (None, found) for size, found in zip(spec.shape, array.shape, strict=True)
    )
    if not fits:
        raise EngineError(f"an array of shape {list(array.shape)} does not fit the input {spec}")
    return array


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
