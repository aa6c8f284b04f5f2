"""Results: what a bench leaves behind, and all that reports, gates and comparisons read.

Raw samples are kept, so that everything derived from them can be worked out again.
`results.schema.json` beside this file holds the JSON form as JSON Schema.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from edgekit.files import write_whole, writing
from edgekit.results.accuracy import Accuracy
from edgekit.results.agreement import Agreement
from edgekit.results.fidelity import Fidelity
from edgekit.results.plan import BenchPlan
from edgekit.results.reason import Reason
from edgekit.results.statistics import Ratio, SampleUnit, Statistics
from edgekit.results.steadiness import Steadiness
from edgekit.schema import check_form
from edgekit_runtimes.errors import ArtifactError
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.protocol.job import Plan

RESULTS_SCHEMA_VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("results.schema.json")

Status = Literal["ok", "error", "not available"]
Phase = Literal["warmup", "measure"]


@dataclass(frozen=True)
class Block:
    """Consecutive inferences of one model in one worker process.

    process: number of the process within the row's group, from 0.
    phase: warm-up is in no statistics.
    samples: each inference in the row's unit, in the order in which they ran.
    conditions: the firmware's readings "before" and "after" it on a Raspberry Pi, each as
    throttling.Reading has them; None elsewhere.
    """

    process: int
    phase: Phase
    samples: tuple[int, ...]
    conditions: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Row:
    """One artifact, or the original, on one device.

    format, recipe: "source" and "original" for the original.
    engine: the engine's word ("litert"); None where none has loaded the artifact.
    reason: the engine's own words where status is not "ok".
    bytes, wire_bytes: None and empty for the original.
    unit: of load_ns, first_run_ns, samples and statistics. The clock of a device that counts
    goes on by 1 ns with each instruction.
    load_ns, first_run_ns: a value for each process in which the model was alone.
    execution: how the engine runs the model, in its own words; None where it does not tell.
    reasons: why it is not faster than fp32; none where it is, or was not compared.
    backend: where an engine of a page computed ("webgl"); None elsewhere.
    download_ns, start_ns: in a page, the artifact's way to it, and the engine's with the readying
    of its back end; neither is in load_ns. Empty elsewhere.
    peak_memory_bytes: the most memory that the process with this model alone had; None where it
    is not known, as in a page.
    blocks: the row's own samples.
    reference_blocks: measured samples of the fp32 artifact beside it. The fp32 artifacts and the
    original were measured beside each other, so their rows have none.
    statistics, steadiness: of the measured samples; counts have no steadiness, since they repeat.
    ratio_to_fp32: None with `ratio_reason` where there was nothing to compare with.
    ratio_to_original: measured for fp32, derived (a product) for other recipes; None without an
    original.
    agreement_with_host: None on the host itself, and where the host has no engine for the format.
    accuracy: None without labelled data, and with `accuracy_reason` where it was not judged.
    """

    device: str
    id: str
    format: str
    recipe: str
    engine: str | None
    status: Status
    reason: str | None = None
    bytes: int | None = None
    wire_bytes: Mapping[str, int] = field(default_factory=dict)
    load_ns: tuple[int, ...] = ()
    first_run_ns: tuple[int, ...] = ()
    blocks: tuple[Block, ...] = field(default=(), repr=False)
    reference_blocks: tuple[Block, ...] = field(default=(), repr=False)
    statistics: Statistics | None = None
    ratio_to_fp32: Ratio | None = None
    ratio_reason: str | None = None
    ratio_to_original: Ratio | None = None
    fidelity: Fidelity | None = None
    agreement_with_host: Agreement | None = None
    accuracy: Accuracy | None = None
    accuracy_reason: str | None = None
    unit: SampleUnit = "ns"
    backend: str | None = None
    download_ns: tuple[int, ...] = ()
    start_ns: tuple[int, ...] = ()
    peak_memory_bytes: int | None = None
    steadiness: Steadiness | None = None
    execution: Execution | None = None
    reasons: tuple[Reason, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "device": self.device,
            "unit": self.unit,
            "id": self.id,
            "format": self.format,
            "recipe": self.recipe,
            "engine": self.engine,
            "backend": self.backend,
            "status": self.status,
            "reason": self.reason,
            "bytes": self.bytes,
            "wire_bytes": dict(self.wire_bytes),
            "download_ns": list(self.download_ns),
            "start_ns": list(self.start_ns),
            "load_ns": list(self.load_ns),
            "first_run_ns": list(self.first_run_ns),
            "peak_memory_bytes": self.peak_memory_bytes,
            "blocks": _blocks_json(self.blocks),
            "reference_blocks": _blocks_json(self.reference_blocks),
            "statistics": asdict(self.statistics) if self.statistics else None,
            "steadiness": self.steadiness.to_json() if self.steadiness else None,
            "ratio_to_fp32": _ratio_json(self.ratio_to_fp32),
            "ratio_reason": self.ratio_reason,
            "execution": self.execution.to_json() if self.execution else None,
            "reasons": [reason.to_json() for reason in self.reasons],
            "ratio_to_original": _ratio_json(self.ratio_to_original),
            "fidelity": self.fidelity.to_json() if self.fidelity else None,
            "agreement_with_host": (
                self.agreement_with_host.to_json() if self.agreement_with_host else None
            ),
            "accuracy": self.accuracy.to_json() if self.accuracy else None,
            "accuracy_reason": self.accuracy_reason,
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Row:
        """Return the row whose JSON form is given."""
        statistics, steadiness, fidelity, accuracy = (
            form[key] for key in ("statistics", "steadiness", "fidelity", "accuracy")
        )
        agreement, execution = form["agreement_with_host"], form.get("execution")
        parsed = {
            "download_ns": tuple(form.get("download_ns", ())),
            "start_ns": tuple(form.get("start_ns", ())),
            "load_ns": tuple(form["load_ns"]),
            "first_run_ns": tuple(form["first_run_ns"]),
            "blocks": _blocks(form["blocks"]),
            "reference_blocks": _blocks(form["reference_blocks"]),
            "statistics": Statistics(**statistics) if statistics else None,
            "steadiness": Steadiness.from_json(steadiness) if steadiness else None,
            "ratio_to_fp32": _ratio(form["ratio_to_fp32"]),
            "ratio_to_original": _ratio(form["ratio_to_original"]),
            "execution": Execution.from_json(execution) if execution else None,
            "reasons": tuple(Reason.from_json(reason) for reason in form.get("reasons", ())),
            "fidelity": Fidelity.from_json(fidelity) if fidelity else None,
            "agreement_with_host": Agreement.from_json(agreement) if agreement else None,
            "accuracy": Accuracy.from_json(accuracy) if accuracy else None,
        }
        return cls(**{**form, **parsed})


@dataclass(frozen=True, repr=False)
class Results:
    """Everything that one bench found out.

    bundle: the name of what was measured.
    created: when it ended, ISO 8601 in UTC.
    plan: of devices that measure time; those that count have `COUNTING`.
    threads: how many each engine was told to use.
    samples: how many golden samples fidelity was judged on.
    noise: whether those were noise instead of real data.
    environments: what each device said about itself.
    """

    bundle: str
    edgekit: str
    created: str
    plan: BenchPlan
    threads: int
    samples: int
    noise: bool
    environments: Mapping[str, Mapping[str, Any]]
    rows: tuple[Row, ...]

    @property
    def failed(self) -> bool:
        """Whether any row is an error; "not available" is none."""
        return any(row.status == "error" for row in self.rows)

    def __repr__(self) -> str:
        """Return the tables that `edgekit bench` prints."""
        from edgekit.report.terminal import print_results
        from edgekit.text.plain import as_text

        return as_text(lambda console: print_results(self, console))

    def _repr_html_(self) -> str:
        """Return the tables for a notebook."""
        from edgekit.report.html.notebook import results_html

        return results_html(self)

    def to_text(self) -> str:
        """Return the JSON form as `edgekit bench --json` prints it, in one line."""
        # Without blanks: there may be millions of samples.
        return json.dumps(self.to_json(), separators=(",", ":"))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file, which `load_results` and the other commands read."""
        path = Path(path)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, f"{self.to_text()}\n".encode())

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "schema": RESULTS_SCHEMA_VERSION,
            "bundle": self.bundle,
            "edgekit": self.edgekit,
            "created": self.created,
            "plan": asdict(self.plan),
            "threads": self.threads,
            "samples": self.samples,
            "noise": self.noise,
            "environments": {name: dict(form) for name, form in self.environments.items()},
            "rows": [row.to_json() for row in self.rows],
        }

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Results:
        """Return the results whose JSON form is given, which must be of this schema version."""
        plan = form["plan"]
        return cls(
            bundle=form["bundle"],
            edgekit=form["edgekit"],
            created=form["created"],
            plan=BenchPlan(plan["name"], plan["processes"], Plan(**plan["worker"])),
            threads=form["threads"],
            samples=form["samples"],
            noise=form["noise"],
            environments=form["environments"],
            rows=tuple(Row.from_json(row) for row in form["rows"]),
        )


def load_results(path: str | os.PathLike[str]) -> Results:
    """Return the results in a JSON file.

    Raises ArtifactError where the file cannot be read, is no results file, or is of another
    schema version.

    Example:
        >>> import edgekit
        >>> results = edgekit.load_results("results.json")
        >>> results.bundle
        'digits'
        >>> [(row.device, row.id) for row in results.rows if row.recipe == "int8"]
        [('host', 'tflite/int8')]
        >>> fidelity = results.rows[-1].fidelity.outputs["digit"]
        >>> fidelity.top1 > 0.9, fidelity.sqnr_db > 20
        (True, True)
    """
    path = Path(path)
    try:
        form = json.loads(path.read_text(encoding="utf-8"))
        version = form["schema"]
    except OSError as error:
        raise ArtifactError(f"{path} cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, KeyError) as error:
        raise ArtifactError(f"{path} is no results file, or was cut off. Bench again.") from error
    if version != RESULTS_SCHEMA_VERSION:
        raise ArtifactError(
            f"{path} has results schema {version} and this edgekit reads "
            f"{RESULTS_SCHEMA_VERSION}. Use the edgekit that wrote it, or bench again."
        )
    try:
        check_form(form, json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
        return Results.from_json(form)
    except (KeyError, TypeError, ValueError) as error:
        raise ArtifactError(f"{path} is damaged: {error}. Bench again.") from error


def _blocks_json(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    return [
        {
            "process": block.process,
            "phase": block.phase,
            "samples": list(block.samples),
            **({"conditions": dict(block.conditions)} if block.conditions else {}),
        }
        for block in blocks
    ]


def _blocks(forms: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
    return tuple(Block(**{**form, "samples": tuple(form["samples"])}) for form in forms)


def _ratio_json(ratio: Ratio | None) -> dict[str, Any] | None:
    return {**asdict(ratio), "verdict": ratio.verdict} if ratio else None


def _ratio(form: Mapping[str, Any] | None) -> Ratio | None:
    if form is None:
        return None
    return Ratio(form["value"], form["low"], form["high"], form["derived"], form["counted"])
