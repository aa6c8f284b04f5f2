"""Open an artifact, run it on the golden samples and judge its outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

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


class Taker(Protocol):
    """What takes in an artifact's outputs as they arrive."""

    def add(self, start: int, outputs: Arrays) -> None:
        """Take in the outputs of the samples from number `start` on."""


AnyTaker = TypeVar("AnyTaker", bound=Taker)


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
    accumulator, notes = run_on_golden(
        path, engine, options, golden, device, lambda: FidelityAccumulator(golden.outputs)
    )
    return Checked(accumulator.result(), notes)


def check_all(
    paths: Sequence[Path],
    format_name: str,
    options: Mapping[str, Any],
    golden: GoldenSamples,
    device: Device,
) -> dict[Path, Fidelity]:
    """Return how several artifacts of one format do, without those that do not load or run.

    One worker runs all of them, unless one takes it down: then each has its own.
    """
    engine = device.engine_for(format_name)
    if engine.module is None or not paths:
        return {}
    takers = {str(path): FidelityAccumulator(golden.outputs) for path in paths}
    job = Job(
        models=tuple(engine.job_model(str(path), str(path), options) for path in paths),
        inputs={name: str(file) for name, file in golden.files.items()},
        preprocessing=golden.preprocessing,
        outputs=-1,
    )

    def take(model: str, start: int, outputs: Arrays) -> None:
        takers[model].add(start, outputs)

    found = read_events(device.run(job), take)
    if found.errors and len(paths) > 1:
        alone = (check_all([path], format_name, options, golden, device) for path in paths)
        return {path: fidelity for one in alone for path, fidelity in one.items()}
    return {} if found.errors else {path: takers[str(path)].result() for path in paths}


def run_on_golden(
    path: Path,
    engine: EngineChoice,
    options: Mapping[str, Any],
    golden: GoldenSamples,
    device: Device,
    make: Callable[[], AnyTaker],
) -> tuple[AnyTaker, tuple[Note, ...]]:
    """Run an artifact on golden samples; return what took in its outputs, and notes.

    make: called for each back end that is tried. Raises EngineError as `check` does.
    """
    try:
        return _run(path, engine, options, golden, device, make()), ()
    except EngineError as error:
        if engine.backend != FIRST_BACKEND:
            raise
        try:
            plain = replace(engine, backend=SECOND_BACKEND)
            taker = _run(path, plain, options, golden, device, make())
        except EngineError:
            raise error from None
        text = f"judged on {SECOND_BACKEND}, since it does not run on {FIRST_BACKEND}: {error}"
        return taker, (Note("note", text),)


def _run(
    path: Path,
    engine: EngineChoice,
    options: Mapping[str, Any],
    golden: GoldenSamples,
    device: Device,
    taker: AnyTaker,
) -> AnyTaker:
    job = Job(
        models=(engine.job_model("artifact", str(path), options),),
        inputs={name: str(file) for name, file in golden.files.items()},
        preprocessing=golden.preprocessing,
        outputs=-1,
    )

    def take(_: str, start: int, outputs: Arrays) -> None:
        taker.add(start, outputs)

    if failure := read_events(device.run(job), take).failure:
        raise EngineError(failure.replace(str(path), path.name))
    return taker
