"""A candidate: what could be made of the source, and what was found when it was."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgekit.bundle.plan import Plan
from edgekit.forms import Level
from edgekit.tune.promise import Paired

Objective = Literal["size", "wire", "time", "instructions"]
# Bytes are exact and free; the others are measured on a device, as a share of fp32's.
STORED: tuple[Objective, ...] = ("size", "wire")
MEASURED: tuple[Objective, ...] = ("time", "instructions")

REFERENCE = Plan("fp32")


@dataclass(frozen=True)
class Candidate:
    """A format, and what is done to each layer."""

    format: str
    plan: Plan

    @property
    def id(self) -> str:
        """As an artifact of a bundle is named."""
        return f"{self.format}/{self.plan.key}"


@dataclass(frozen=True)
class Answers:
    """How a candidate answers samples, beside the fp32 artifact of its format.

    table: of right answers; None without labels. differing: how many have another top-1; None where
    the output has no classes. sqnr_db: of the output, over all samples.
    """

    samples: int
    sqnr_db: Level
    table: Paired | None = None
    differing: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "sqnr_db", Level(self.sqnr_db))

    @property
    def noise(self) -> float:
        """The power of the error over that of the output."""
        return 10 ** (-self.sqnr_db / 10) if math.isfinite(self.sqnr_db) else 0.0


@dataclass(frozen=True)
class Evaluation:
    """What was found of a candidate, on the samples that the search sees.

    costs: by objective: bytes, or shares of fp32's. reason: why there is no artifact, or no cost.
    answers: None where there is no artifact.
    """

    candidate: Candidate
    costs: Mapping[Objective, float] = field(default_factory=dict)
    answers: Answers | None = None
    reason: str = ""

    def has(self, objectives: tuple[Objective, ...]) -> bool:
        """Return whether everything is known that these objectives ask for."""
        return self.answers is not None and all(one in self.costs for one in objectives)
