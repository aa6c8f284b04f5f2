"""One of several signatures of a TFLite file, which the interpreter runs by a runner of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from edgekit_runtimes.engines.interpreter import spec_of
from edgekit_runtimes.errors import EngineError, map_exceptions
from edgekit_runtimes.tensors import Arrays, dequantize, quantize


class SignatureModel:
    """A signature of a TFLite file, whichever graph of the file it is of.

    Originals are run so; artifacts have one signature, of their main graph.
    """

    def __init__(
        self, interpreter_class: Any, engine: str, path: Path, options: Mapping[str, Any]
    ) -> None:
        self._run_failed = f"{engine} cannot run {path}"
        with map_exceptions(f"{engine} cannot load {path}", EngineError):
            interpreter = interpreter_class(
                model_path=str(path), num_threads=options.get("threads", 1)
            )
            self._runner = interpreter.get_signature_runner(options["signature"])
            self.inputs, self.outputs = (
                tuple(spec_of(name, detail) for name, detail in details.items())
                for details in (
                    self._runner.get_input_details(),
                    self._runner.get_output_details(),
                )
            )

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for one sample, as real numbers. Raises EngineError."""
        arrays = {spec.name: quantize(inputs[spec.name], spec) for spec in self.inputs}
        with map_exceptions(self._run_failed, EngineError):
            found = self._runner(**arrays)
            return {spec.name: dequantize(found[spec.name], spec) for spec in self.outputs}

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        """Return a function that runs the signature on the inputs."""
        arrays = {spec.name: quantize(inputs[spec.name], spec) for spec in self.inputs}
        runner = self._runner

        def call() -> object:
            return runner(**arrays)

        return call
