"""Damage: what each layer of an int8 artifact loses by itself, and which samples it flipped."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from edgekit.forms import Count, Level, keep_levels

Bytes = Annotated[int, Meta(ge=-(2**53), le=2**53)]
Factor = Annotated[float, Meta(gt=0)]


@dataclass(frozen=True)
class LayerDamage:
    """One operator of an artifact.

    sqnr_db: of the outputs where this one alone is quantized: its kernel, what it reads and makes.
    in_float: whether the artifact computes it in float.
    float_bytes: by how many bytes the file grows where it computes in float as well.
    float_time: how many times as long the artifact takes then, on the machine that converted.
    Both are None where this was not tried: only the worst layers are.
    """

    name: str
    kind: str
    sqnr_db: Level
    in_float: bool
    float_bytes: Bytes | None = None
    float_time: Factor | None = None

    def __post_init__(self) -> None:
        keep_levels(self, "sqnr_db")


@dataclass(frozen=True)
class Flip:
    """A golden sample whose first class is another one than the original's. sample: from 0 on."""

    sample: Count
    output: str
    original: Count
    artifact: Count


@dataclass(frozen=True)
class Damage:
    """What `convert --explain` found. layers: the most harmful first."""

    layers: tuple[LayerDamage, ...]
    flipped: tuple[Flip, ...] = ()
