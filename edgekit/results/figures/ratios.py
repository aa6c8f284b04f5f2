"""Figures that compare a row with another one that ran beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.results import ORIGINAL
from edgekit.results.figures.figure import (
    RATIO,
    Compared,
    Figure,
    Gated,
    Kind,
    Shown,
    facts,
    has_reference,
    is_artifact,
    value_at,
)
from edgekit.results.figures.measured import Found, Measured, of_ratio
from edgekit.text.quantities import RATIO as QUOTIENT
from edgekit.text.quantities import WORDS
from edgekit.text.units import significant, with_interval

if TYPE_CHECKING:
    from edgekit.results.results import Results, Row
    from edgekit.results.statistics import Ratio

DERIVED_MARK = "*"


def ratio_cell(ratio: Ratio | None) -> str:
    """Return a ratio with its interval, as "0.512 [0.498, 0.526]"."""
    return with_interval(significant, ratio.value, ratio.low, ratio.high) if ratio else ""


def _fp32_cell(row: Row) -> str:
    return ratio_cell(row.ratio_to_fp32)


def _why_not_faster(row: Row) -> str:
    return "; ".join(reason.text for reason in row.reasons)


def _original_cell(row: Row) -> str:
    ratio = row.ratio_to_original
    if ratio is None:
        return ""
    # The blank keeps the digits of unmarked ratios in line with those of marked ones.
    return significant(ratio.value) + (DERIVED_MARK if ratio.derived else " ")


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


FIGURES = (
    Figure(
        "ratio",
        "The time (or instructions) of the artifact over that of the fp32 artifact of its format "
        "and engine, measured in turns in the same processes: under 1 is less. In brackets the "
        "95 % interval; of counts the extremes.",
        TIME_OVER_TIME,
        value_at("ratio_to_fp32.value"),
        "ratio_to_fp32",
        Shown("ratio to fp32", _fp32_cell, has_interval=True, changed="ratio\nto fp32"),
        Gated(has_reference, ratio_to_fp32, aliases=("ratio_to_fp32",)),
        Compared("ratio", _ratio_of_ratios),
    ),
    *facts(
        RATIOS,
        ratio_to_fp32_low=(value_at("ratio_to_fp32.low"), "The lower end of its interval."),
        ratio_to_fp32_high=(value_at("ratio_to_fp32.high"), "The upper end of its interval."),
    ),
    Figure(
        "verdict",
        "What may be claimed of it: `faster` or `slower` (`fewer` or `more` instructions) only if "
        "the whole interval is more than 1 % from 1, else `not distinguishable`.",
        ABOUT_RATIOS,
        value_at("ratio_to_fp32.verdict"),
        "verdict",
        Shown("verdict"),
    ),
    *facts(
        ABOUT_RATIOS,
        ratio_reason=(value_at("ratio_reason"), "Why there is no ratio."),
        why_not_faster=(_why_not_faster, "Why the artifact is not faster than fp32."),
    ),
    Figure(
        "ratio_to_original",
        "The same against the original in its own framework. Measured for fp32; for other recipes "
        f"it is a product of two ratios, which `{DERIVED_MARK}` marks.",
        TIME_OVER_TIME,
        value_at("ratio_to_original.value"),
        "ratio_to_original",
        Shown("to\noriginal", _original_cell),
        Gated(is_artifact, _ratio_to_original, "the original was not measured"),
    ),
    *facts(
        RATIOS,
        ratio_to_original_low=(value_at("ratio_to_original.low"), "The lower end of its interval."),
        ratio_to_original_high=(value_at("ratio_to_original.high"), "The upper end of it."),
    ),
    *facts(
        ABOUT_RATIOS,
        ratio_to_original_derived=(
            value_at("ratio_to_original.derived"),
            "`True` where it is a product.",
        ),
    ),
)
