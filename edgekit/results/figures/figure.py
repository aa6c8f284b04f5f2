"""A figure: one number (or word) of a row, and all that others need to show and judge it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from edgekit.results import ORIGINAL, REFERENCE_RECIPE
from edgekit.results.figures.measured import Found, Read, exact
from edgekit.text.quantities import Quantity

if TYPE_CHECKING:
    from edgekit.results.results import Results, Row
    from edgekit.results.statistics import Ratio

Value = float | str | bool | None
# Which value is the better one; "by name": of a metric, whose name says it.
Better = Literal["less", "more", "by name", ""]
GoalWord = Literal["max_degradation", "min_improvement"]


@dataclass(frozen=True)
class Group:
    """Figures that are side by side.

    title: its heading in the documentation.
    part: where one table would be too wide for a terminal, columns of one part stay together.
    """

    title: str
    part: Literal["name", "time", "size", "memory", "agreement"]


NAME = Group("What was measured", "name")
SIZE = Group("Size", "size")
MEMORY = Group("Memory", "memory")
DOWNLOAD = Group("Download", "time")
START = Group("Loading and the first inference", "time")
RUN = Group("One inference", "time")
RATIO = Group("Ratios", "time")
FIDELITY = Group("Fidelity", "agreement")
HOST = Group("Agreement with the host", "agreement")
ACCURACY = Group("Accuracy", "agreement")
BASIS = Group("What the figures rest on", "agreement")
# In the order of a table.
GROUPS = (NAME, SIZE, MEMORY, DOWNLOAD, START, RUN, RATIO, FIDELITY, HOST, ACCURACY, BASIS)


@dataclass(frozen=True)
class Shown:
    """A column of a figure.

    title: its heading, above the unit; "" for no column. A function of the rows where they decide.
    cell: writes it; by default the value in the unit of the column.
    is_detail: it is in tables of details only, not in that of a bench.
    scale: columns of one scale share a unit.
    has_interval: cells hold the interval as well, and the heading says which.
    changed: its heading in a comparison, where `title` would not do.
    """

    title: str | Callable[[Sequence[Row]], str]
    cell: Callable[[Row], str] | None = None
    is_detail: bool = False
    scale: str = ""
    has_interval: bool = False
    changed: str = ""


def is_any(row: Row) -> bool:
    """Whatever was measured."""
    return True


@dataclass(frozen=True)
class Baseline:
    """How a figure is gated against another row of the same results.

    heading: over these gates in the help.
    concerns: the rows that have such a baseline.
    lost, share_lost: read how much worse the row is, in the figure's quantity and as a share.
    goals: which of the two directions may be asked for.
    origin: as of `Gated`.
    """

    heading: str
    concerns: Callable[[Row], bool]
    lost: Read
    share_lost: Read
    goals: tuple[GoalWord, ...]
    origin: str = ""


@dataclass(frozen=True)
class Gated:
    """What a gate must know of a figure.

    concerns: whether rows of this kind have it at all, failed ones included: an emulated board has
    no latency, and fp32 no ratio to itself.
    read: reads it with its interval; by default it is assumed to repeat.
    origin: how results get it, for the error that no row has it.
    aliases: other names that a gate may use.
    baseline: what else a gate can ask for; None for nothing else.
    """

    concerns: Callable[[Row], bool] = is_any
    read: Read | None = None
    origin: str = ""
    aliases: tuple[str, ...] = ()
    baseline: Baseline | None = None


@dataclass(frozen=True)
class Compared:
    """How a figure, which must be gated as well, is compared between two results.

    name: what it is called there, and by its goals: `latency.max_regression`.
    ratio_between: returns the ratio of the new row to the old one, for times; None if each row's
    figure is compared as it is.
    tolerance: a change of at most this share does not count.
    says_verdict: "better" or "worse" is printed beside its change.
    is_general: whether `--max-regression` is about it.
    """

    name: str
    ratio_between: Callable[[Row, Row], Ratio | None] | None = None
    tolerance: float = 0.0
    says_verdict: bool = False
    is_general: bool = False


@dataclass(frozen=True)
class Kind:
    """What figures have in common: their group, what they are measured in, what is better."""

    group: Group
    quantity: Quantity
    better: Better = ""


@dataclass(frozen=True, eq=False)
class Figure:
    """One number of a row, or a word about it.

    key: its name for gates, and among all figures.
    sentence: what it is, for the documentation: Markdown that ends with a full stop.
    value: reads it from a row in base units (bytes, ns, shares); None if there is none.
    csv: the name of its CSV field; "" where CSV leaves it out.
    shown, gated, compared: None if it has no column, if no gate may be on it, and if two results
    are not compared by it.
    """

    key: str
    sentence: str
    kind: Kind
    value: Callable[[Row], Value]
    csv: str = ""
    shown: Shown | None = None
    gated: Gated | None = None
    compared: Compared | None = None

    @property
    def group(self) -> Group:
        """Its group."""
        return self.kind.group

    @property
    def quantity(self) -> Quantity:
        """What it is measured in."""
        return self.kind.quantity

    def number(self, row: Row) -> float | None:
        """Return its value as a number; None if there is none."""
        value = self.value(row)
        return None if value is None or isinstance(value, str) else value

    def concerns(self, row: Row) -> bool:
        """Whether rows of this kind have it at all."""
        return self.gated is None or self.gated.concerns(row)

    def found_in(self, row: Row, results: Results) -> Found:
        """Return what a row of `results` says about it."""
        if self.gated and self.gated.read:
            return self.gated.read(row, results)
        value = self.number(row)
        return None if value is None else exact(value)

    def title(self, rows: Sequence[Row] = ()) -> str:
        """Return the heading of its column over `rows`; "" where it has none."""
        title = self.shown.title if self.shown else ""
        return title if isinstance(title, str) else title(rows)


def facts(kind: Kind, **entries: tuple[Callable[[Row], Value], str]) -> Iterator[Figure]:
    """Yield figures that are in CSV only: by the name of the field, a reader and a sentence."""
    for field, (value, sentence) in entries.items():
        yield Figure(field, sentence, kind, value, field)


def value_at(path: str) -> Callable[[Row], Any]:
    """Return a reader of what is at `path` in a row, as "accuracy.top1"; None if it ends."""

    def value(row: Row) -> Any:
        found: Any = row
        for name in path.split("."):
            found = None if found is None else getattr(found, name)
        return found

    return value


# --- Which rows have a figure -------------------------------------------------------------------


def is_artifact(row: Row) -> bool:
    """Not the original."""
    return row.id != ORIGINAL


def is_timed(row: Row) -> bool:
    """Measured by a clock."""
    return row.unit == "ns"


def is_counted(row: Row) -> bool:
    """Measured in instructions."""
    return row.unit == "instructions"


def has_reference(row: Row) -> bool:
    """Compared with fp32."""
    return is_artifact(row) and row.recipe != REFERENCE_RECIPE


def is_timed_beside_reference(row: Row) -> bool:
    """Compared with fp32 by a clock."""
    return is_timed(row) and has_reference(row)
