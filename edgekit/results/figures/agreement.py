"""Figures of agreement: with the original's outputs, and with the host's."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgekit.results.figures.figure import (
    BASIS,
    FIDELITY,
    HOST,
    Compared,
    Figure,
    Gated,
    Kind,
    Shown,
    is_artifact,
    value_at,
)
from edgekit.results.figures.measured import Found, Read, exact
from edgekit.text.quantities import DECIBELS, NUMBER, SHARE, TALLY
from edgekit.text.units import significant

if TYPE_CHECKING:
    from edgekit.results.results import Results, Row

COSINE_DECIMALS = 6


def nan_reason(count: int) -> str:
    """Return why outputs that are NaN break each gate on what they are worth."""
    return f"{count:,} of its outputs {'is' if count == 1 else 'are'} NaN or infinite"


def _original_nan(row: Row) -> int | None:
    outputs = row.fidelity.outputs.values() if row.fidelity else ()
    return sum(output.original_nan for output in outputs) if outputs else None


def _unless_nan(path: str) -> Read:
    def read(row: Row, _: Results) -> Found:
        if row.fidelity and row.fidelity.nan:
            return nan_reason(row.fidelity.nan)
        value = value_at(path)(row)
        return None if value is None else exact(value)

    return read


def _sqnr_cell(row: Row) -> str:
    if row.fidelity is None:
        return ""
    if row.fidelity.nan:
        return "NaN"
    return "exact" if row.fidelity.sqnr_db == math.inf else significant(row.fidelity.sqnr_db)


def _cosine_cell(row: Row) -> str:
    return f"{row.fidelity.cosine:.{COSINE_DECIMALS}f}" if row.fidelity else ""


def _unless_zero(count: Callable[[Row], float | None]) -> Callable[[Row], str]:
    return lambda row: f"{found:,}" if (found := count(row)) else ""


def _host_cell(row: Row) -> str:
    """Write how far outputs are from the host's: "exact", or the largest error as a share."""
    agreement = row.agreement_with_host
    if agreement is None:
        return ""
    return "exact" if agreement.exact else f"{agreement.max_relative_error:.0e}"


NAN = Kind(FIDELITY, TALLY)

FIGURES = (
    Figure(
        "fidelity.samples",
        "How many golden samples fidelity was judged on.",
        Kind(BASIS, TALLY),
        value_at("fidelity.samples"),
        "fidelity_samples",
        Shown("samples", is_detail=True),
    ),
    Figure(
        "fidelity.top1",
        "The share of golden samples for which the artifact and the original put the same class "
        "first; of several outputs the worst, as for the other figures of fidelity. Rounded down: "
        "only 100.0 is everything.",
        Kind(FIDELITY, SHARE, "more"),
        value_at("fidelity.top1"),
        "fidelity_top1",
        Shown("top-1"),
        Gated(is_artifact, _unless_nan("fidelity.top1")),
        Compared("fidelity.top1", is_general=True),
    ),
    Figure(
        "fidelity.cosine",
        "The cosine of the artifact's outputs and the original's, all samples in one vector.",
        Kind(FIDELITY, NUMBER, "more"),
        value_at("fidelity.cosine"),
        "fidelity_cosine",
        Shown("cosine", _cosine_cell, is_detail=True),
        Gated(is_artifact, _unless_nan("fidelity.cosine")),
    ),
    Figure(
        "fidelity.sqnr",
        "The power of the original's output over the power of the error: 10 dB more are a tenth "
        "of the error's power. `exact` where there is no error.",
        Kind(FIDELITY, DECIBELS, "more"),
        value_at("fidelity.sqnr_db"),
        "fidelity_sqnr_db",
        Shown("SQNR", _sqnr_cell),
        Gated(is_artifact, _unless_nan("fidelity.sqnr_db"), aliases=("fidelity.sqnr_db",)),
        Compared("fidelity.sqnr"),
    ),
    Figure(
        "fidelity.sqnr_p5",
        "The 5th percentile of the SQNR that each golden sample has by itself: 95 % of them have "
        "more. Far below the SQNR of all together, a few samples hold most of the error. Missing "
        "in files made before it was measured.",
        Kind(FIDELITY, DECIBELS, "more"),
        value_at("fidelity.sqnr_p5_db"),
        "fidelity_sqnr_p5_db",
        Shown("SQNR\np5", is_detail=True),
        Gated(is_artifact, _unless_nan("fidelity.sqnr_p5_db"), aliases=("fidelity.sqnr_p5_db",)),
    ),
    Figure(
        "fidelity.max_error",
        "The largest difference of two elements.",
        Kind(FIDELITY, NUMBER, "less"),
        value_at("fidelity.max_abs_error"),
        "fidelity_max_abs_error",
        Shown("largest\nerror", is_detail=True),
        Gated(
            is_artifact, _unless_nan("fidelity.max_abs_error"), aliases=("fidelity.max_abs_error",)
        ),
    ),
    Figure(
        "fidelity.nan",
        "How many elements are NaN or infinite where the original's are not.",
        NAN,
        value_at("fidelity.nan"),
        "fidelity_nan",
        Shown("NaN", _unless_zero(value_at("fidelity.nan")), is_detail=True),
    ),
    Figure(
        "fidelity.original_nan",
        "How many elements are NaN or infinite in the original itself; they are left out.",
        NAN,
        _original_nan,
        shown=Shown("NaN in\noriginal", _unless_zero(_original_nan), is_detail=True),
    ),
    Figure(
        "host_error",
        "The largest difference from the outputs of the same artifact on the host, as a share of "
        "the largest of those; `exact` where there is none.",
        Kind(HOST, NUMBER, "less"),
        value_at("agreement_with_host.max_relative_error"),
        shown=Shown("vs\nhost", _host_cell),
    ),
)
