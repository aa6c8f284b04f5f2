"""Quantities: what a value is measured in, as tables show it and as a gate's limit is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from edgekit.text.units import (
    BYTE_UNITS,
    COUNT_UNITS,
    TIME_UNITS,
    Unit,
    percent,
    significant,
)


@dataclass(frozen=True, eq=False)
class Quantity:
    """What a figure is measured in.

    words: what an error message calls a value of it.
    kind: the heading over figures of it, with the units that a gate may use.
    limits: unit of a limit -> how many base units it is worth; "" if a bare number is a limit.
    advice: these units, as an error message lists them.
    example: the unit that an error message suggests.
    shown: the units of tables, the largest first.
    noun: what follows the unit in the heading of a column.
    text: writes a value in the unit of its column; one with three significant digits by default.
    less, more: what a comparison says about a value that fell or rose; "" for better and worse.
    """

    words: str
    kind: str
    limits: Mapping[str, float]
    advice: str
    example: str = ""
    shown: tuple[Unit, ...] = (Unit("", 1),)
    noun: str = ""
    text: Callable[[float], str] = significant
    less: str = ""
    more: str = ""

    def heading(self, unit: Unit) -> str:
        """Return a unit as it is printed below the title of a column."""
        return f"{unit.word} {self.noun}".strip()


# Decimal, as the tables are, and binary where it is asked for.
BYTES = Quantity(
    "a size",
    "Sizes (B, KB, MB, GB, KiB, MiB, GiB)",
    {
        **{"B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9},
        **{"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
    },
    "B, KB, MB, GB, KiB, MiB or GiB",
    "KB",
    BYTE_UNITS,
    less="smaller",
    more="larger",
)
# The two signs of the micro prefix look the same and are not.
TIME = Quantity(
    "a time",
    "Times (ns, us, ms, s)",
    {"ns": 1.0, "us": 1e3, "µs": 1e3, "\N{GREEK SMALL LETTER MU}s": 1e3, "ms": 1e6, "s": 1e9},
    "ns, µs (or us), ms or s",
    "ms",
    TIME_UNITS,
)
COUNT = Quantity(
    "a count",
    "Instructions (plain, K, M, G)",
    {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9},
    "plain numbers, K, M or G",
    "M",
    COUNT_UNITS,
    noun="instr.",
    less="fewer",
    more="more",
)
SHARE = Quantity(
    "a share",
    "Shares (plain or %)",
    {"": 1.0, "%": 0.01},
    "shares from 0 to 1, or %",
    "%",
    (Unit("%", 1),),
    text=percent,
)
RATIO = Quantity(
    "a ratio", "Time over time (plain or %)", {"": 1.0, "%": 0.01}, "plain numbers or %"
)
# Of something else. A bare number is refused: 5 would be 500 %.
PERCENTAGE = Quantity("a percentage", "Percentages (%)", {"%": 0.01}, "%", "%")
DECIBELS = Quantity(
    "a level",
    "Levels (dB)",
    {"": 1.0, "dB": 1.0},
    "dB",
    "dB",
    (Unit("dB", 1),),
    text=lambda level: f"{level:.1f}",
)
NUMBER = Quantity("a number", "Numbers (plain)", {"": 1.0}, "plain numbers")
# A count of something that never reaches a million.
TALLY = Quantity(
    "a number", "Numbers (plain)", {"": 1.0}, "plain numbers", text=lambda count: f"{count:,.0f}"
)
# Not measured at all: a name or a verdict.
WORDS = Quantity("a word", "Words", {}, "nothing")

QUANTITIES = (BYTES, TIME, COUNT, SHARE, DECIBELS)
