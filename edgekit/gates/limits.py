"""Reading the limit of a gate: a number in a unit of the figure's quantity.

A unit may be left out only where no one can take the number for something else: `size<=300` could
mean KB, so it is refused.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass

from edgekit.text.quantities import BYTES, COUNT, DECIBELS, QUANTITIES, SHARE, Quantity
from edgekit_runtimes.errors import UsageError

_LIMIT = re.compile(
    r"(?P<number>[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)\s*(?P<unit>\D*)", re.IGNORECASE
)


@dataclass(frozen=True)
class Limit:
    """A gate's limit. value: in base units (bytes, ns, shares). unit: as it was written."""

    value: float
    unit: str


def parse_limit(text: str, quantity: Quantity, what: str) -> Limit:
    """Return the limit that `text` says.

    what: the figure, for errors. Raises UsageError if the number or the unit does not fit.
    """
    match = _LIMIT.fullmatch(text.strip())
    number = float(match["number"]) if match else math.inf
    if match is None or not math.isfinite(number):
        said = f"'{text.strip()}' is not a number" if text.strip() else "there is no value"
        raise UsageError(f"{said}. {_advice(quantity, what)}.")
    written = match["unit"].strip()
    unit = _known_unit(written, quantity)
    if unit is None:
        raise UsageError(_wrong_unit(match["number"], written, quantity, what))
    value = number * quantity.limits[unit]
    if quantity is SHARE and not 0 <= value <= 1:
        hint = f", as in {number:g}%" if 1 < number <= 100 and not unit else ""
        raise UsageError(f"{text.strip()} is not a share. {_advice(quantity, what)}{hint}.")
    return Limit(value, unit)


def _advice(quantity: Quantity, what: str) -> str:
    return f"{what} takes {quantity.advice}"


def _known_unit(word: str, quantity: Quantity) -> str | None:
    """Return the unit as it is spelt here; case is only strict where it makes a difference."""
    if word in quantity.limits:
        return word
    if quantity in (BYTES, COUNT, DECIBELS) and word != "m":
        return next((unit for unit in quantity.limits if unit.lower() == word.lower()), None)
    return None


def _wrong_unit(number: str, unit: str, quantity: Quantity, what: str) -> str:
    remedy = f"{_advice(quantity, what)}, as in {number}{quantity.example}."
    if not unit:
        return f"{number} has no unit. {remedy}"
    other = next((one for one in QUANTITIES if _known_unit(unit, one) is not None), None)
    if other is not None:
        return f"{number}{unit} is {other.words}. {remedy}"
    nearest = difflib.get_close_matches(unit, [one for one in quantity.limits if one], n=1)
    hint = f" Did you mean {number}{nearest[0]}?" if nearest else ""
    return f"Unknown unit '{unit}'.{hint} {remedy}"
