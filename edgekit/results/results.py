"""Results: what a bench leaves behind, and all that reports, gates and comparisons read.

Raw samples are kept, so that everything derived from them can be worked out again. The types here
are the schema; `results.schema.json` beside this file is made from them.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, TypedDict

import msgspec
from msgspec import Meta

from edgekit.files import write_whole, writing
from edgekit.forms import AtLeastOne, Count, FileKind, encode, to_form
from edgekit.results.accuracy import Accuracy
from edgekit.results.agreement import Agreement
from edgekit.results.damage import Damage
from edgekit.results.environment import Environment
from edgekit.results.fidelity import Fidelity
from edgekit.results.history import RESULTS_SCHEMA_VERSION, UPGRADES
from edgekit.results.plan import BenchPlan
from edgekit.results.reason import Reason
from edgekit.results.statistics import Ratio, SampleUnit, Statistics
from edgekit.results.steadiness import Steadiness
from edgekit_runtimes.execution import Execution
from edgekit_runtimes.protocol.events import Phase

# A thorough bench of sixty models of 20 µs has 2 GB of samples.
MAX_BYTES = 4_000_000_000
SCHEMA_FILE = Path(__file__).with_name("results.schema.json")

Status = Literal["ok", "failed", "not available"]


class Reading(TypedDict):
    """What a Raspberry Pi said at one moment. throttled: as vcgencmd get_throttled prints it."""

    throttled: Annotated[str, Meta(pattern="^0x[0-9a-f]+$")]
    temperature_c: float | None
    governor: str | None
    frequency_khz: Count | None


class Conditions(TypedDict):
    """What the firmware of a Raspberry Pi said before and after a block."""

    before: Reading
    after: Reading


# There are thousands of them, most without conditions: a Struct is faster, and leaves these out.
class Block(msgspec.Struct, frozen=True, omit_defaults=True):
    """Consecutive inferences of one model in one worker process.

    process: number of the process within the row's group, from 0.
    phase: warm-up is in no statistics.
    samples: each inference in the row's unit, in the order in which they ran.
    conditions: the firmware's readings around it on a Raspberry Pi; None elsewhere.
    """

    process: Count
    phase: Phase
    samples: tuple[Count, ...]
    conditions: Conditions | None = None


@dataclass(frozen=True)
class Row:
    """One artifact, or the original, on one device, run by one engine.

    id: the artifact's, as "tflite/int8", or "original". Rows of several engines may share it.
    format, recipe: "source" and "original" for the original.
    engine: the word of the engine that was chosen ("litert"), also where the row failed; None where
    the device has none for the format (and in files of version 1 also where the row failed).
    reason: the engine's own words where status is not "ok".
    bytes, wire_bytes: None and empty for the original.
    unit: of load_ns, first_run_ns, samples and statistics. The clock of a device that counts
    advances by 1 ns with each instruction.
    load_ns, first_run_ns: a value for each process in which the model was alone.
    execution: how the engine runs the model, in its own words; None if it does not say.
    reasons: why it is not faster than fp32; none where it is, or was not compared.
    backend: where an engine of a page computed ("webgl"); None elsewhere.
    download_ns, start_ns: in a page, the artifact's way to it, and the engine's with the readying
    of its back end; neither is in load_ns. Empty elsewhere.
    peak_memory_bytes: the most memory that the process with this model alone had; None if it
    is not known, as in a page.
    blocks: the row's own samples.
    reference_blocks: measured samples of the fp32 artifact beside it. The fp32 artifacts and the
    original were measured beside each other, so their rows have none.
    statistics, steadiness: of the measured samples; counts have no steadiness, since they repeat.
    ratio_to_fp32: None with `ratio_reason` where there was nothing to compare with.
    ratio_to_original: measured for fp32, derived (a product) for other recipes; None without an
    original.
    agreement_with_host: None on the host itself, and if no engine of the host runs the format.
    damage: as the bundle has it; None where it has none.
    accuracy: None without labelled data, and with `accuracy_reason` where it was not judged.
    """

    device: str
    id: str
    format: str
    recipe: str
    engine: str | None
    status: Status
    reason: str | None = None
    bytes: Count | None = None
    wire_bytes: Mapping[str, Count] = field(default_factory=dict)
    load_ns: tuple[Count, ...] = ()
    first_run_ns: tuple[Count, ...] = ()
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
    download_ns: tuple[Count, ...] = ()
    start_ns: tuple[Count, ...] = ()
    peak_memory_bytes: Count | None = None
    steadiness: Steadiness | None = None
    execution: Execution | None = None
    reasons: tuple[Reason, ...] = ()
    damage: Damage | None = None

    def __post_init__(self) -> None:
        if (self.status == "ok") != (self.reason is None):
            raise ValueError(f"Expected a reason for status {self.status!r}, got {self.reason!r}")

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What identifies it among all rows: device, engine and artifact."""
        return self.device, self.engine, self.id


@dataclass(frozen=True, repr=False)
class Results:
    """Everything that one bench found.

    bundle: the name of what was measured.
    created: when it ended, ISO 8601 in UTC.
    plan: of devices that measure time; those that count have `COUNTING`.
    threads: how many each engine was told to use.
    samples: how many golden samples fidelity was judged on.
    noise: whether those were noise instead of real data.
    environments: what each device said about itself, by its name.
    stands_in: the id of the artifact that the others' fidelity is to, where loose artifacts were
    measured and there was no original; it has none itself. files: what each was given as, by id.
    """

    schema: Literal[2] = field(init=False)
    bundle: str
    edgekit: str
    created: str
    plan: BenchPlan
    threads: AtLeastOne
    samples: AtLeastOne
    noise: bool
    environments: Mapping[str, Environment]
    rows: tuple[Row, ...]
    stands_in: str | None = None
    files: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "schema", RESULTS_SCHEMA_VERSION)

    @property
    def failed(self) -> bool:
        """Whether any row failed; "not available" does not count as failed."""
        return any(row.status == "failed" for row in self.rows)

    def __repr__(self) -> str:
        """Return the conclusion and the table that `edgekit bench` prints."""
        from edgekit.report.terminal.tables import print_results
        from edgekit.text.plain import as_text

        return as_text(lambda console: print_results(self, console, is_wide=False))

    def _repr_html_(self) -> str:
        """Return the tables for a notebook."""
        from edgekit.report.html.notebook import results_html

        return results_html(self)

    def to_text(self) -> str:
        """Return the JSON form as `edgekit bench --json` prints it, in one line."""
        return encode(self).decode()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file, which `load_results` and the other commands read."""
        path = Path(path)
        with writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, encode(self) + b"\n")

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        form: dict[str, Any] = to_form(self)
        return form


RESULTS_FILE = FileKind(
    kind=Results,
    word="results",
    what="a results file",
    remedy="Bench again.",
    max_bytes=MAX_BYTES,
    version=RESULTS_SCHEMA_VERSION,
    upgrades=UPGRADES,
)


def load_results(path: str | os.PathLike[str]) -> Results:
    """Return the results in a JSON file.

    Results of an older edgekit are read like current ones. Raises ArtifactError if the file
    cannot be read, is not a results file, is damaged, or is of a newer schema version.

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
    return RESULTS_FILE.load(Path(path))
