"""The worker: reads one job, writes events as JSON lines to its standard output.

    python -m edgekit_runtimes.worker JOB.json [MEMORY]    (or - to read the job from stdin)

MEMORY: the bytes that it may allocate, or auto (owned/memory.py).

It is a separate process, so that a model that kills its interpreter ends nothing else.
`job.py` lists the events in their order.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgekit_runtimes.engines import Model, TellingModel, load_engine
from edgekit_runtimes.engines.renamed import OPTION as NAMES
from edgekit_runtimes.engines.renamed import in_bundle_names
from edgekit_runtimes.environment import describe_environment, peak_memory_bytes
from edgekit_runtimes.errors import (
    EdgekitError,
    EngineError,
    UsageError,
    first_line,
    map_exceptions,
)
from edgekit_runtimes.owned.memory import hint, limit_memory
from edgekit_runtimes.protocol.events import named_last
from edgekit_runtimes.protocol.job import Event, Job, JobModel, Plan
from edgekit_runtimes.reordered import OPTION as AXES
from edgekit_runtimes.reordered import in_bundle_order
from edgekit_runtimes.samples import Samples
from edgekit_runtimes.tensors import Array, Arrays, TensorSpec, encode_array, is_batched, unbatch
from edgekit_runtimes.throttling import COOL_DOWN_S, Conditions, measure_fit, read_firmware
from edgekit_runtimes.timing import plan_blocks, round_order, timed_block, timed_warmup

# An outputs event carries about this much before base64, or what came within this time: small
# enough to hold in memory twice, and slow models still show that they are alive.
OUTPUT_CHUNK_BYTES = 1_000_000
OUTPUT_CHUNK_S = 5.0

# Outputs may move by this share of their largest magnitude between two runs on the same sample:
# threads add up in any order. A dead context gives zeros or NaN.
SAME_OUTPUT_TOLERANCE = 1e-3

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class LoadedModel:
    """A model of the job, ready to run on the job's samples."""

    id: str
    model: Model
    samples: Samples
    names: Mapping[str, str]
    batched: bool

    def sample(self, index: int) -> Arrays:
        """Return sample number `index` as the model takes it."""
        return self.samples.pick(index, self.model.inputs, self.names, self.batched)


class Worker:
    """Does one job and emits its events.

    A model that raises gets an error event and is left out from then on.
    """

    def __init__(
        self,
        job: Job,
        emit: Emit,
        cool_down_s: float = COOL_DOWN_S,
        memory_bytes: int | None = None,
    ) -> None:
        self._memory_bytes = memory_bytes
        self._job = job
        self._emit = emit
        self._cool_down_s = cool_down_s
        self._models: dict[str, LoadedModel] = {}
        self._named: str | None = None

    def run(self) -> None:
        """Do the whole job."""
        firmware = read_firmware()
        facts = {"firmware": firmware.to_json()} if firmware else {}
        self._send({"event": "environment", **describe_environment(), **facts})
        with self._guarded(None):
            inputs = self._job.inputs
            samples = Samples(inputs, self._job.preprocessing) if inputs else None
            for model in self._job.models:
                with self._guarded(model.id):
                    self._load(model, samples)
            for loaded in list(self._models.values()):
                with self._guarded(loaded.id):
                    self._report_outputs(loaded)
            if self._job.plan:
                self._measure(self._job.plan)
        peak_memory = peak_memory_bytes()
        if self._job.explain:
            for loaded in list(self._models.values()):
                self._explain(loaded)
        self._send({"event": "done", "peak_memory_bytes": peak_memory})

    @contextlib.contextmanager
    def _guarded(self, model_id: str | None) -> Iterator[None]:
        try:
            yield
        except BrokenPipeError:
            raise
        except Exception as error:
            # Ours is one line, and what it says of memory may stand at its end.
            message = str(error) if isinstance(error, EdgekitError) else _unexpected(error)
            self._drop(model_id, hint(message, self._memory_bytes))

    def _drop(self, model_id: str | None, message: str) -> None:
        """Report an error and leave the model out from now on."""
        if model_id is not None:
            self._models.pop(model_id, None)
        self._send({"event": "error", "model": model_id, "message": message})

    def _announce(self, model_id: str) -> None:
        """Say which model runs next, unless it was named last: a crash is blamed on that one."""
        if self._named != model_id:
            self._send({"event": "running", "model": model_id})

    def _send(self, event: Event) -> None:
        self._named = named_last(event, self._named)
        self._emit(event)

    def _load(self, entry: JobModel, samples: Samples | None) -> None:
        self._send({"event": "loading", "model": entry.id})
        engine = load_engine(entry.engine)
        with map_exceptions(f"{engine.NAME} cannot be imported", EngineError):
            version = engine.version()
            importlib.import_module(engine.IMPORT_NAME)
        start = time.perf_counter_ns()
        model = engine.load(Path(entry.path), entry.options)
        load_ns = time.perf_counter_ns() - start
        model = in_bundle_names(model, entry.options.get(NAMES))
        model = in_bundle_order(model, entry.options.get(AXES))
        self._send(
            {
                "event": "loaded",
                "model": entry.id,
                "ns": load_ns,
                "engine": engine.NAME,
                "engine_version": version,
                "inputs": _specs_json(model.inputs),
                "outputs": _specs_json(model.outputs),
            }
        )
        if samples is None:
            return
        loaded = LoadedModel(
            id=entry.id,
            model=model,
            samples=samples,
            names=samples.names_for(model.inputs),
            batched=is_batched(model.inputs),
        )
        with map_exceptions(f"{engine.NAME} cannot run {entry.path}", EngineError):
            (first_ns,) = timed_block(model.bind(loaded.sample(0)), runs=1)
        self._send({"event": "first_run", "model": entry.id, "ns": first_ns})
        self._models[entry.id] = loaded

    def _report_outputs(self, loaded: LoadedModel) -> None:
        available = loaded.samples.count
        count = available if self._job.outputs < 0 else min(self._job.outputs, available)
        if count:
            self._announce(loaded.id)
        results: list[Arrays] = []
        size = 0
        shapes = None
        sent = time.monotonic()
        for index in range(count):
            outputs = loaded.model.run(loaded.sample(index))
            found = {name: array.shape for name, array in outputs.items()}
            shapes = shapes or found
            if found != shapes:
                raise EngineError(
                    f"The shapes of the outputs change from sample to sample: {shapes} for the "
                    f"first, {found} for number {index}. Such outputs cannot be compared."
                )
            results.append(outputs)
            size += sum(array.nbytes for array in outputs.values())
            late = time.monotonic() - sent >= OUTPUT_CHUNK_S
            if size >= OUTPUT_CHUNK_BYTES or late or index == count - 1:
                self._send(
                    {
                        "event": "outputs",
                        "model": loaded.id,
                        "start": index + 1 - len(results),
                        "arrays": {
                            name: encode_array(array)
                            for name, array in _stack(results, loaded.batched).items()
                        },
                    }
                )
                results, size, sent = [], 0, time.monotonic()

    def _measure(self, plan: Plan) -> None:
        calls: dict[str, Callable[[], object]] = {}
        warmups: dict[str, list[int]] = {}
        before: dict[str, Arrays] = {}
        for loaded in list(self._models.values()):
            with self._guarded(loaded.id):
                before[loaded.id] = loaded.model.run(loaded.sample(0))
                calls[loaded.id] = loaded.model.bind(loaded.sample(0))
                self._announce(loaded.id)
                warmup = timed_warmup(calls[loaded.id], plan)
                self._emit_block(loaded.id, "warmup", 0, 1, warmup)
                warmups[loaded.id] = warmup
        rounds, runs = plan_blocks(plan, warmups)
        timed = {name: functools.partial(timed_block, calls[name], runs[name]) for name in runs}
        for number in range(rounds):
            order = round_order(list(self._models), plan)
            if order:
                self._measure_round(number, rounds, [(name, timed[name]) for name in order])
        for loaded in list(self._models.values()):
            with self._guarded(loaded.id):
                self._announce(loaded.id)
                if not same_outputs(before[loaded.id], loaded.model.run(loaded.sample(0))):
                    raise EngineError(
                        "The outputs for the first sample are not the same after the timing as "
                        "before it: the model is random, or broke down, and its times are void."
                    )

    def _measure_round(
        self, number: int, rounds: int, order: Sequence[tuple[str, Callable[[], list[int]]]]
    ) -> None:
        """Measure one round and report its blocks: between them nothing else may run."""

        def measure() -> list[tuple[str, list[int]]]:
            blocks = []
            for name, block in order:
                if name in self._models:
                    with self._guarded(name):
                        self._announce(name)
                        blocks.append((name, block()))
            return blocks

        def waiting() -> None:
            self._send({"event": "running", "model": order[0][0]})

        try:
            blocks, conditions = measure_fit(measure, waiting, self._cool_down_s)
        except EngineError as error:
            for name in list(self._models):
                self._drop(name, str(error))
            return
        for name, samples in blocks:
            if name in self._models:
                self._emit_block(name, "measure", number, rounds, samples, conditions)

    def _explain(self, loaded: LoadedModel) -> None:
        """Say how the engine runs a model. If one does not say, that is not an error."""
        with contextlib.suppress(Exception):
            told = loaded.model.execution() if isinstance(loaded.model, TellingModel) else None
            if told:
                self._send({"event": "execution", "model": loaded.id, **told.to_json()})

    def _emit_block(
        self,
        model_id: str,
        phase: str,
        number: int,
        rounds: int,
        samples: list[int],
        conditions: Conditions | None = None,
    ) -> None:
        self._send(
            {
                "event": "block",
                "model": model_id,
                "phase": phase,
                "round": number,
                "rounds": rounds,
                "samples": samples,
                **({"conditions": conditions.to_json()} if conditions else {}),
            }
        )


def same_outputs(before: Arrays, after: Arrays) -> bool:
    """Return whether two runs on the same sample agree; NaN agrees with NaN only."""
    return before.keys() == after.keys() and all(
        _close(before[name].astype(np.float64), after[name].astype(np.float64)) for name in before
    )


def _close(before: Array, after: Array) -> bool:
    if before.shape != after.shape:
        return False
    finite = np.abs(before[np.isfinite(before)])
    largest = float(finite.max()) if finite.size else 0.0
    tolerance = SAME_OUTPUT_TOLERANCE * largest
    return bool(np.isclose(before, after, rtol=0.0, atol=tolerance, equal_nan=True).all())


def _stack(results: Sequence[Arrays], batched: bool) -> Arrays:
    """Return the outputs of several samples as one array each, samples along the first axis."""
    return {
        name: np.stack([unbatch(outputs[name], batched) for outputs in results])
        for name in results[0]
    }


def _specs_json(specs: Sequence[TensorSpec]) -> list[dict[str, object]]:
    return [spec.to_json() for spec in specs]


def _unexpected(error: Exception) -> str:
    """Return the message for an error that is not ours, with its class."""
    return f"{type(error).__name__}: {first_line(error)}"


def _take_stdout() -> int:
    """Return a private descriptor of the standard output, and point 1 at the standard error.

    Native libraries print to 1, which would break the stream of events.
    """
    private = os.dup(1)
    os.dup2(2, 1)
    return private


def main(arguments: Sequence[str]) -> int:
    """Do the job in the file that the first argument names; return the exit code."""
    if len(arguments) not in (1, 2):
        print("usage: python -m edgekit_runtimes.worker JOB.json (or -) [MEMORY]", file=sys.stderr)
        return UsageError.exit_code
    memory_bytes = limit_memory(arguments[1]) if arguments[1:] else None
    with os.fdopen(_take_stdout(), "w", encoding="utf-8") as stream:

        def emit(event: Event) -> None:
            stream.write(json.dumps(event, allow_nan=False) + "\n")
            stream.flush()

        text = sys.stdin.read() if arguments[0] == "-" else Path(arguments[0]).read_text("utf-8")
        try:
            Worker(Job.from_json(text), emit, memory_bytes=memory_bytes).run()
        except BrokenPipeError:
            # The reader is gone; the same error again when the stream closes would be noise.
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
            return EdgekitError.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
