"""The one protocol: a job goes to a device, events come back.

A job is one JSON document. A worker reads it, does what it says and writes one JSON object per
line:

    environment   what the machine is: CPU, versions, threads
    loading       a model is about to be loaded ("model" names it); the next event may never come
    loaded        "ns" it took, its "inputs" and "outputs", "engine" and "engine_version"
                  in a page "ns" is parsing only: "download_ns" is the artifact's way to it, and
                  "start_ns" that of the engine
    first_run     "ns" of the very first inference
    running       a model is about to run many times; the next event may never come
    outputs       "arrays" of the samples from number "start" on
    block         "samples": ns of each inference in one block (in a page, where its clock is
                  coarse, means of a few); "phase": warmup or measure; "round" of "rounds"; on a
                  Raspberry Pi the "conditions" before and after that round
    execution     how the engine runs the model: "nodes" in the file, "ops" that run instead, places
                  "outside" of a delegate, dtypes of "kernels"
    error         "message" in the engine's own words; the worker continues with the other models,
                  and what this one gave before is void. "model" is null if it is the job's fault
    done          the job is finished; a stream without it was cut

In this order: loading, loaded and first_run model after model; all outputs; the warm-up blocks
model after model; the measured blocks, interleaved, each round's when it is over; execution model
after model. The model named last is the one that is at work.

The same schema everywhere: on this machine, on a board, over SSH and in a page (TypeScript).
`job.schema.json` beside this file holds it as JSON Schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from edgekit_runtimes.tensors import Preprocessing

JOB_SCHEMA_VERSION = 1

Event = dict[str, Any]


@dataclass(frozen=True)
class JobModel:
    """One model of a job: an artifact, or the original.

    id: how events name it ("tflite/int8", "original").
    engine: the module that runs it; the worker imports that module and no other engine.
    """

    id: str
    engine: str
    path: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """How one worker process measures.

    warmup_runs, warmup_s: at least this many runs and this many seconds of each model, not counted.
    rounds: in each round every model has two blocks, in palindromic order (A B B A). There are at
    least this many. 0: one block of min_runs per model, for a device that counts and does not
    drift.
    block_s: a block lasts at least this long.
    block_runs: there are more than `rounds` rounds only if blocks have this many runs.
    min_runs, min_s: at least this many counted runs, and seconds, of each model in this process.
    max_s: no more runs than are expected to take this long, whatever min_runs says; 0: no limit.
    """

    warmup_runs: int = 1
    warmup_s: float = 0.5
    block_s: float = 0.0
    block_runs: int = 1
    rounds: int = 2
    min_runs: int = 1
    min_s: float = 0.0
    max_s: float = 0.0


@dataclass(frozen=True)
class Job:
    """What one worker process does.

    models: loaded in this order; measured interleaved, so that a slow moment affects all of them.
    inputs: a .npy file for each input, samples along the first axis, before preprocessing. Where
    there are none, the models are only loaded.
    plan: None to measure nothing.
    outputs: how many samples (from the first) each model runs to report its outputs; -1: all.
    explain: whether each engine should say how it runs its model, after all else.
    """

    models: tuple[JobModel, ...]
    inputs: Mapping[str, str]
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    plan: Plan | None = None
    outputs: int = 0
    explain: bool = False

    def to_json(self) -> str:
        """Return the JSON document."""
        form = asdict(self)
        form["schema"] = JOB_SCHEMA_VERSION
        form["preprocessing"] = self.preprocessing.to_json()
        return json.dumps(form)

    @classmethod
    def from_json(cls, text: str) -> Job:
        """Return the job of a JSON document.

        Raises ValueError if the document is of another schema version.
        """
        form = json.loads(text)
        if form.get("schema") != JOB_SCHEMA_VERSION:
            raise ValueError(
                f"job schema {form.get('schema')} is not {JOB_SCHEMA_VERSION}: "
                "the worker and edgekit are of different versions"
            )
        return cls(
            models=tuple(JobModel(**model) for model in form["models"]),
            inputs=form["inputs"],
            preprocessing=Preprocessing.from_json(form["preprocessing"]),
            plan=Plan(**form["plan"]) if form["plan"] else None,
            outputs=form["outputs"],
            explain=form.get("explain", False),
        )
