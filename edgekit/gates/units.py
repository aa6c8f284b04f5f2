"""What a gate's limit may be written in: sizes, times, counts, shares.

A unit may be left out only where no one can take the number for something else: `size<=300` could
mean KB, so it is refused.
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from edgekit_runtimes.errors import UsageError

_LIMIT = re.compile(
    r"(?P<number>[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*(?P<unit>\D*)", re.IGNORECASE
)


@dataclass(frozen=True)
class Quantity:
    """What a metric is measured in.

    words: how an error calls a value of it.
    units: unit -> how many base units it is worth; "" where a bare number is one.
    advice: the units, as an error lists them.
    example: the unit that an error suggests.
    """

    words: str
    units: Mapping[str, float]
    advice: str
    example: str = ""


# Decimal, as the tables are, and binary where it is asked for.
BYTES = Quantity(
    "a size",
    {
        **{"B": 1.0, "KB": 1e3, "MB": 1e6, "GB": 1e9},
        **{"KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30},
    },
    "B, KB, MB, GB, KiB, MiB or GiB",
    "KB",
)
# The two signs of the micro prefix look the same and are not.
TIME = Quantity(
    "a time",
    {"ns": 1.0, "us": 1e3, "µs": 1e3, "\N{GREEK SMALL LETTER MU}s": 1e3, "ms": 1e6, "s": 1e9},
    "ns, µs (or us), ms or s",
    "ms",
)
COUNT = Quantity(
    "a count", {"": 1.0, "K": 1e3, "M": 1e6, "G": 1e9}, "plain numbers, K, M or G", "M"
)
SHARE = Quantity("a share", {"": 1.0, "%": 0.01}, "shares from 0 to 1, or %", "%")
RATIO = Quantity("a ratio", {"": 1.0, "%": 0.01}, "plain numbers or %")
# Of something else. A bare number is refused: 5 would be 500 %.
PERCENTAGE = Quantity("a percentage", {"%": 0.01}, "%", "%")
DECIBELS = Quantity("a level", {"": 1.0, "dB": 1.0}, "dB", "dB")
NUMBER = Quantity("a number", {"": 1.0}, "plain numbers")

QUANTITIES = (BYTES, TIME, COUNT, SHARE, DECIBELS)


@dataclass(frozen=True)
class Limit:
    """A gate's limit. value: in base units (bytes, ns, shares). unit: as it was written."""

    value: float
    unit: str


def parse_limit(text: str, quantity: Quantity, what: str) -> Limit:
    """Return the limit that `text` says.

    what: the metric, for errors. Raises UsageError where the number or the unit does not fit.
    """
    match = _LIMIT.fullmatch(text.strip())
    number = float(match["number"]) if match else math.inf
    if match is None or not math.isfinite(number):
        said = f"'{text.strip()}' is no number" if text.strip() else "there is no value"
        raise UsageError(f"{said}. {_advice(quantity, what)}.")
    written = match["unit"].strip()
    unit = _known_unit(written, quantity)
    if unit is None:
        raise UsageError(_wrong_unit(match["number"], written, quantity, what))
    value = number * quantity.units[unit]
    if quantity is SHARE and not 0 <= value <= 1:
        hint = f", as in {number:g}%" if 1 < number <= 100 and not unit else ""
        raise UsageError(f"{text.strip()} is no share. {_advice(quantity, what)}{hint}.")
    return Limit(value, unit)


def _advice(quantity: Quantity, what: str) -> str:
    return f"{what} takes {quantity.advice}"


def _known_unit(word: str, quantity: Quantity) -> str | None:
    """Return the unit as it is spelt here; case is only strict where it makes a difference."""
    if word in quantity.units:
        return word
    if quantity in (BYTES, COUNT, DECIBELS) and word != "m":
        return next((unit for unit in quantity.units if unit.lower() == word.lower()), None)
    return None


def _wrong_unit(number: str, unit: str, quantity: Quantity, what: str) -> str:
    remedy = f"{_advice(quantity, what)}, as in {number}{quantity.example}."
    if not unit:
        return f"{number} has no unit. {remedy}"
    other = next((one for one in QUANTITIES if _known_unit(unit, one) is not None), None)
    if other is not None:
        return f"{number}{unit} is {other.words}. {remedy}"
    nearest = difflib.get_close_matches(unit, [one for one in quantity.units if one], n=1)
    hint = f" Did you mean {number}{nearest[0]}?" if nearest else ""
    return f"Unknown unit '{unit}'.{hint} {remedy}"
