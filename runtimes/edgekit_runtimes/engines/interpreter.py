"""The TFLite interpreter: one class for all packages that ship it (litert, tflite-runtime)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_runtimes.errors import EngineError, map_exceptions
from edgekit_runtimes.execution import Execution, delegated_execution
from edgekit_runtimes.tensors import Arrays, TensorSpec, dequantize, quantize


class InterpreterModel:
    """A TFLite file in an `Interpreter`, with XNNPACK where the package turns it on (default).

    Inputs and outputs have the signature's names: the order of the interpreter's own lists is what
    the converter happened to leave. Without a signature the tensors' names are used.
    """

    def __init__(
        self,
        interpreter_class: Any,
        engine: str,
        path: Path,
        options: Mapping[str, Any],
    ) -> None:
        self._run_failed = f"{engine} cannot run {path}"
        with map_exceptions(f"{engine} cannot load {path}", EngineError):
            self._interpreter = interpreter_class(
                model_path=str(path), num_threads=options.get("threads", 1)
            )
            inputs, outputs = _named_details(self._interpreter)
            self._input_indices = {name: detail["index"] for name, detail in inputs.items()}
            self._output_indices = {name: detail["index"] for name, detail in outputs.items()}
            self.inputs = tuple(spec_of(name, detail) for name, detail in inputs.items())
            self.outputs = tuple(spec_of(name, detail) for name, detail in outputs.items())
            self._shapes = {name: tuple(detail["shape"]) for name, detail in inputs.items()}
            self._allocated = False
            # Free sizes are 1 until they are set. For a batch that is right; an image of
            # 1 x 1 may be too small for the graph, so that one waits for its first sample.
            if all(None not in spec.shape[1:] for spec in self.inputs):
                self._allocate()

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for one sample, as real numbers. Raises EngineError."""
        with map_exceptions(self._run_failed, EngineError):
            self._set(inputs)
            self._interpreter.invoke()
            return {
                spec.name: dequantize(
                    self._interpreter.get_tensor(self._output_indices[spec.name]), spec
                )
                for spec in self.outputs
            }

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        """Set the inputs and return a function that invokes and reads the outputs back."""
        with map_exceptions(self._run_failed, EngineError):
            self._set(inputs)
        invoke = self._interpreter.invoke
        get_tensor = self._interpreter.get_tensor
        indices = tuple(self._output_indices.values())

        def call() -> object:
            invoke()
            return [get_tensor(index) for index in indices]

        return call

    def execution(self) -> Execution | None:
        """Return which nodes the delegates took; None before the tensors are allocated."""
        # "Experimental and subject to change", but the only one that says this.
        tell = getattr(self._interpreter, "_get_ops_details", None)
        return delegated_execution(tell()) if tell and self._allocated else None

    def _set(self, inputs: Arrays) -> None:
        arrays = {spec.name: quantize(inputs[spec.name], spec) for spec in self.inputs}
        for name, array in arrays.items():
            if array.shape != self._shapes[name]:
                # strict: only sizes that the file leaves free may change.
                self._interpreter.resize_tensor_input(
                    self._input_indices[name], array.shape, strict=True
                )
                self._shapes[name] = array.shape
                self._allocated = False
        if not self._allocated:
            self._allocate()
        # The state of recurrent ops outlives a run; samples are independent of each other.
        self._interpreter.reset_all_variables()
        for name, array in arrays.items():
            self._interpreter.set_tensor(self._input_indices[name], array)

    def _allocate(self) -> None:
        self._interpreter.allocate_tensors()
        self._allocated = True


def _named_details(interpreter: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the details of the inputs and of the outputs by name.

    Of several signatures the one of the main subgraph counts: it is what `invoke` runs.
    """
    inputs = interpreter.get_input_details()
    main = {detail["name"] for detail in inputs}
    for key in interpreter.get_signature_list():
        # A living runner makes allocate_tensors and invoke raise "There is at least 1 reference
        # to internal data": it must not outlive this function.
        runner = interpreter.get_signature_runner(key)
        named = runner.get_input_details()
        if {detail["name"] for detail in named.values()} == main:
            return named, runner.get_output_details()
    return (
        {detail["name"]: detail for detail in inputs},
        {detail["name"]: detail for detail in interpreter.get_output_details()},
    )


def spec_of(name: str, detail: Mapping[str, Any]) -> TensorSpec:
    """Return the spec of what an interpreter's details describe."""
    dtype = np.dtype(detail["dtype"])
    parameters = detail["quantization_parameters"]
    quantization = None
    if dtype.kind in "iu" and len(parameters["scales"]) == 1:
        quantization = (float(parameters["scales"][0]), int(parameters["zero_points"][0]))
    return TensorSpec(
        name=name,
        shape=tuple(None if size < 0 else int(size) for size in detail["shape_signature"]),
        dtype=dtype.name,
        quantization=quantization,
    )
