"""Figures that compare a row with another one that ran beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Literal

from edgekit.results.figures.figure import (
    RATIO,
    Compared,
    Figure,
    Gated,
    Kind,
    Shown,
    Value,
    has_reference,
    is_artifact,
)
from edgekit.results.figures.measured import Found, Measured, of_ratio
from edgekit.results.reference import ORIGINAL
from edgekit.text.quantities import RATIO as QUOTIENT
from edgekit.text.quantities import WORDS
from edgekit.text.units import significant, with_interval

if TYPE_CHECKING:
    from edgekit.results.results import Results, Row
    from edgekit.results.statistics import Ratio

DERIVED_MARK = "*"

RatioName = Literal["ratio_to_fp32", "ratio_to_original"]


def ratio_cell(ratio: Ratio | None) -> str:
    """Return a ratio with its interval, as "0.512 [0.498, 0.526]"."""
    return with_interval(significant, ratio.value, ratio.low, ratio.high) if ratio else ""


def _fp32_cell(row: Row) -> str:
    return ratio_cell(row.ratio_to_fp32)


def _original_cell(row: Row) -> str:
    ratio = row.ratio_to_original
    if ratio is None:
        return ""
    # The blank keeps the digits of unmarked ratios in line with those of marked ones.
    return significant(ratio.value) + (DERIVED_MARK if ratio.derived else " ")


def _part(
    name: RatioName,
    part: Literal["value", "low", "high", "verdict", "derived"],
) -> Callable[[Row], Value]:
    def value(row: Row) -> Value:
        ratio: Ratio | None = getattr(row, name)
        found: Value = getattr(ratio, part) if ratio else None
        return found

    return value


def ratio_to_fp32(row: Row, _: Results) -> Found:
    """Read the ratio to fp32."""
    ratio = row.ratio_to_fp32
    return of_ratio(ratio) if ratio else row.ratio_reason or "it has no ratio to fp32"


def share_lost(row: Row, results: Results) -> Found:
    """Read which share of fp32's time comes on top of it."""
    ratio = ratio_to_fp32(row, results)
    return ratio.mapped(lambda value: value - 1) if isinstance(ratio, Measured) else ratio


def _ratio_to_original(row: Row, results: Results) -> Found:
    """Read the ratio to the original, where that was measured."""
    if row.ratio_to_original:
        return of_ratio(row.ratio_to_original)
    is_measured = any(
        other.id == ORIGINAL and other.device == row.device and other.status == "ok"
        for other in results.rows
    )
    return (row.ratio_reason or "it has no ratio to the original") if is_measured else None


def _ratio_of_ratios(old: Row, new: Row) -> Ratio | None:
    from edgekit.results.statistics import Ratio, multiply

    was, found = old.ratio_to_fp32, new.ratio_to_fp32
    if was is None or found is None:
        return None
    low, high = was.low, was.high
    inverse = Ratio(1 / was.value, 1 / high if high else None, 1 / low if low else None)
    return multiply(found, inverse)


RATIOS = Kind(RATIO, QUOTIENT)
TIME_OVER_TIME = Kind(RATIO, QUOTIENT, "less")
ABOUT_RATIOS = Kind(RATIO, WORDS)


def _ends(key: str, name: RatioName) -> Iterator[Figure]:
    """Yield the ends of a ratio's interval, for CSV."""
    ends: tuple[tuple[Literal["low", "high"], str], ...] = (("low", "lower"), ("high", "upper"))
    for end, word in ends:
        sentence = f"The {word} end of its interval."
        yield Figure(f"{key}.{end}", sentence, RATIOS, _part(name, end), f"{name}_{end}")


FIGURES = (
    Figure(
        "ratio",
        "The time (or instructions) of the artifact over that of the fp32 artifact of its format "
        "and engine, measured in turns in the same processes: under 1 is less. In brackets the "
        "95 % interval; of counts the extremes.",
        TIME_OVER_TIME,
        _part("ratio_to_fp32", "value"),
        "ratio_to_fp32",
        Shown("ratio to fp32", _fp32_cell, has_interval=True, changed="ratio\nto fp32"),
        Gated(has_reference, ratio_to_fp32, aliases=("ratio_to_fp32",)),
        Compared("ratio", _ratio_of_ratios),
    ),
    *_ends("ratio", "ratio_to_fp32"),
    Figure(
        "verdict",
        "What may be claimed of it: `faster` or `slower` (`fewer` or `more` instructions) only if "
        "the whole interval is more than 1 % from 1, else `not distinguishable`.",
        ABOUT_RATIOS,
        _part("ratio_to_fp32", "verdict"),
        "verdict",
        Shown("verdict"),
    ),
    Figure(
        "ratio.reason",
        "Why there is no ratio.",
        ABOUT_RATIOS,
        lambda row: row.ratio_reason,
        "ratio_reason",
    ),
    Figure(
        "ratio.why_not_faster",
        "Why the artifact is not faster than fp32.",
        ABOUT_RATIOS,
        lambda row: "; ".join(reason.text for reason in row.reasons),
        "why_not_faster",
    ),
    Figure(
        "ratio_to_original",
        "The same against the original in its own framework. Measured for fp32; for other recipes "
        f"it is a product of two ratios, which `{DERIVED_MARK}` marks.",
        TIME_OVER_TIME,
        _part("ratio_to_original", "value"),
        "ratio_to_original",
        Shown("to\noriginal", _original_cell),
        Gated(is_artifact, _ratio_to_original, "the original was not measured"),
    ),
    *_ends("ratio_to_original", "ratio_to_original"),
    Figure(
        "ratio_to_original.derived",
        "`True` where it is a product.",
        ABOUT_RATIOS,
        _part("ratio_to_original", "derived"),
        "ratio_to_original_derived",
    ),
)
