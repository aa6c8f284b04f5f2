"""Originals that an engine of this machine runs: what was given is an artifact of a format already.

They run in a worker, as artifacts do: a damaged file that kills its interpreter is an error here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_runtimes.devices import EngineChoice, open_device
from edgekit_runtimes.errors import SourceError, UsageError
from edgekit_runtimes.owned.folder import temporary_folder
from edgekit_runtimes.protocol.events import ModelRecord, read_events
from edgekit_runtimes.protocol.job import Job
from edgekit_runtimes.tensors import Array, Arrays, is_batched

NAME = "original"

# TF.js on WebAssembly lacks kernels that its plain JavaScript has.
FIRST_BACKEND, SECOND_BACKEND = "wasm", "cpu"


class EngineOriginal:
    """A file or folder of a format, run by the engine that this machine prefers for it.

    options: for the engine. inputs, outputs: as the engine names them. Raises SourceError where
    the engine cannot load it, UsageError where there is no engine.
    """

    def __init__(self, path: Path, format_name: str, options: Mapping[str, Any]) -> None:
        self._path = path
        self._options = options
        with open_device("host") as device:
            self._engine = device.engine_for(format_name)
        if self._engine.module is None:
            raise UsageError(
                f"{path} cannot be run here, and artifacts are compared with what it answers: "
                f"{self._engine.reason}"
            )
        loaded = self._run({}, {})
        self.inputs, self.outputs = loaded.inputs, loaded.outputs

    def run_many(self, samples: Sequence[Arrays]) -> Arrays:
        """Return the outputs of all samples, without batch axes, samples along the first axis.

        Raises SourceError.
        """
        join = np.concatenate if is_batched(self.inputs) else np.stack
        kept: dict[str, list[Array]] = {}
        with temporary_folder() as folder:
            files = {}
            for number, spec in enumerate(self.inputs):
                files[spec.name] = Path(folder) / f"{number}.npy"
                np.save(files[spec.name], join([sample[spec.name] for sample in samples]))
            self._run({name: str(file) for name, file in files.items()}, kept)
        return {name: np.concatenate(arrays) for name, arrays in kept.items()}

    def run(self, sample: Mapping[str, object]) -> Arrays:
        """Return the outputs of one sample, with their batch axes. Raises SourceError."""
        found = self.run_many([{name: np.asarray(array) for name, array in sample.items()}])
        ranks = {spec.name: len(spec.shape) for spec in self.outputs}
        return {
            name: array if array.ndim == ranks[name] else array[0] for name, array in found.items()
        }

    def _run(self, files: Mapping[str, str], kept: dict[str, list[Array]]) -> ModelRecord:
        try:
            return self._run_with(self._engine, files, kept)
        except SourceError as error:
            if self._engine.backend != FIRST_BACKEND:
                raise
            plain = replace(self._engine, backend=SECOND_BACKEND)
            kept.clear()
            try:
                return self._run_with(plain, files, kept)
            except SourceError:
                raise error from None

    def _run_with(
        self, engine: EngineChoice, files: Mapping[str, str], kept: dict[str, list[Array]]
    ) -> ModelRecord:
        def take(_: str, __: int, outputs: Arrays) -> None:
            for name, array in outputs.items():
                kept.setdefault(name, []).append(array)

        model = engine.job_model(NAME, str(self._path.resolve()), self._options)
        job = Job(models=(model,), inputs=files, outputs=-1 if files else 0)
        with open_device("host") as device:
            record = read_events(device.run(job), take)
        if failure := record.failure:
            told = failure.replace(str(self._path.resolve()), str(self._path))
            raise SourceError(told if str(self._path) in told else f"{self._path}: {told}")
        return record.models[NAME]
