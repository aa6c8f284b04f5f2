"""Open an artifact, run it on the golden samples and judge its outputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edgekit.bundle.golden import GoldenSamples
from edgekit.bundle.notes import Note
from edgekit.results.events import read_events
from edgekit.results.fidelity import Fidelity, FidelityAccumulator
from edgekit_runtimes.devices import Device, EngineChoice
from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.protocol.job import Job
from edgekit_runtimes.tensors import Arrays

# TF.js on WebAssembly lacks kernels that its plain JavaScript has.
FIRST_BACKEND = "wasm"
SECOND_BACKEND = "cpu"


@dataclass(frozen=True)
class Checked:
    """What an artifact showed when it was run.

    fidelity: None where there is nothing to run it, as a note says.
    """

    fidelity: Fidelity | None
    notes: tuple[Note, ...] = ()


def check(
    path: Path, format_name: str, options: Mapping[str, Any], golden: GoldenSamples, device: Device
) -> Checked:
    """Return how an artifact does, run by its engine in a separate worker.

    What does not run on WebAssembly is run in plain JavaScript, with a note. Raises EngineError
    with the engine's own reason if the artifact does not load or run.
    """
    engine = device.engine_for(format_name)
    if engine.module is None:
        return Checked(None, (Note("not run", f"not run: {engine.reason}"),))
    try:
        return Checked(_fidelity(path, engine, options, golden, device))
    except EngineError as error:
        if engine.backend != FIRST_BACKEND:
            raise
        try:
            plain = replace(engine, backend=SECOND_BACKEND)
            fidelity = _fidelity(path, plain, options, golden, device)
        except EngineError:
            raise error from None
        text = f"judged on {SECOND_BACKEND}, since it does not run on {FIRST_BACKEND}: {error}"
        return Checked(fidelity, (Note("note", text),))


def _fidelity(
    path: Path,
    engine: EngineChoice,
    options: Mapping[str, Any],
    golden: GoldenSamples,
    device: Device,
) -> Fidelity:
    accumulator = FidelityAccumulator(golden.outputs)
    job = Job(
        models=(engine.job_model("artifact", str(path), options),),
        inputs={name: str(file) for name, file in golden.files.items()},
        preprocessing=golden.preprocessing,
        outputs=-1,
    )

    def judge(_: str, start: int, outputs: Arrays) -> None:
        accumulator.add(start, outputs)

    if failure := read_events(device.run(job), judge).failure:
        raise EngineError(failure.replace(str(path), path.name))
    return accumulator.result()
