"""What a search tried, as it is stored beside the artifacts that it chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from edgekit.bundle.plan import Plan
from edgekit.files import write_whole
from edgekit.forms import AtLeastOne, Count, FileKind, Level, encode

TRIED_NAME = "tune.json"
# A thousand candidates with plans of two hundred layers are 20 MB.
MAX_BYTES = 64_000_000

Outcome = Literal["promised", "guess", "held", "rejected", "not made"]


@dataclass(frozen=True)
class Tried:
    """One candidate.

    costs: by objective: bytes, or shares of fp32's. sqnr_db, loss: on the samples that the search
    sees; loss is a share, and without labels that of answers that differ; None where it is unknown.
    outcome: "promised": it keeps to the limit on unseen data, at 95 %. "guess": that could not be
    promised, and nothing better could. "held": it seems to keep to it. "rejected", "not made":
    reason says why. bound: what is lost at most on unseen data; None unless it was judged.
    """

    id: str
    plan: Plan
    outcome: Outcome
    costs: Mapping[str, float] = field(default_factory=dict)
    sqnr_db: Level | None = None
    loss: float | None = None
    bound: float | None = None
    reason: str = ""
    artifact: str | None = None

    def __post_init__(self) -> None:
        if self.sqnr_db is not None:
            object.__setattr__(self, "sqnr_db", Level(self.sqnr_db))


@dataclass(frozen=True)
class SearchRecord:
    """A search: what was wanted, what was tried, and what became of it.

    searched, judged: how many samples the search saw, and how many others judged the finalists.
    notes: what the user should know.
    """

    schema: Literal[1]
    objectives: tuple[str, ...]
    max_drop: float | None
    min_sqnr: float | None
    labelled: bool
    searched: AtLeastOne
    judged: Count
    tried: tuple[Tried, ...] = ()
    notes: tuple[str, ...] = ()

    def save(self, folder: Path) -> None:
        """Write it into a bundle."""
        write_whole(folder / TRIED_NAME, encode(self, indent=2) + b"\n")


TRIED_FILE = FileKind(
    kind=SearchRecord,
    word="search",
    what="the record of a search",
    remedy="Tune again.",
    max_bytes=MAX_BYTES,
    version=1,
    upgrades={},
)
