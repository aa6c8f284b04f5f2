"""Open an artifact, run it on the golden samples and judge its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.bundle.golden import GoldenSamples
from edgekit.results.events import read_events
from edgekit.results.fidelity import Fidelity, FidelityAccumulator
from edgekit_runtimes.devices import Device
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.protocol.job import Job, JobModel
from edgekit_runtimes.tensors import Arrays, is_batched, pick_sample, unbatch


def check(
    path: Path, format_name: str, options: Mapping[str, Any], golden: GoldenSamples, device: Device
) -> Fidelity:
    """Return the fidelity of an artifact, run by its engine in a separate worker.

    No engine in Python runs TF.js: a TF.js folder is read back and run by TensorFlow. Raises
    EngineError with the engine's own reason if the artifact does not load or run.
    """
    if format_name == "tfjs":
        return _check_tfjs(path, golden)
    engine = device.engine_for(format_name)
    if engine.module is None:
        raise EngineError(engine.reason)
    accumulator = FidelityAccumulator(golden.outputs)
    job = Job(
        models=(JobModel("artifact", engine.module, str(path), options),),
        inputs={name: str(file) for name, file in golden.files.items()},
        preprocessing=golden.preprocessing,
        outputs=-1,
    )

    def judge(_: str, start: int, outputs: Arrays) -> None:
        accumulator.add(start, outputs)

    if failure := read_events(device.run(job), judge).failure:
        raise EngineError(failure.replace(str(path), path.name))
    return accumulator.result()


def _check_tfjs(path: Path, golden: GoldenSamples) -> Fidelity:
    from edgekit_converters.tfjs.read import load

    accumulator = FidelityAccumulator(golden.outputs)
    batched = is_batched(golden.specs)
    arrays = {name: np.load(file, mmap_mode="r") for name, file in golden.files.items()}
    model = load(path)
    for index in range(len(next(iter(arrays.values())))):
        sample = pick_sample(arrays, index, batched)
        outputs = model(
            {
                spec.name: golden.preprocessing.apply(np.asarray(sample[spec.name]), spec.dtype)
                for spec in golden.specs
            }
        )
        accumulator.add(
            index, {name: unbatch(array, batched)[None] for name, array in outputs.items()}
        )
    return accumulator.result()
