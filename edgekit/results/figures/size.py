"""Figures of size: the file and its downloads."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from edgekit.results.figures.figure import (
    SIZE,
    Baseline,
    Figure,
    has_reference,
    is_artifact,
)
from edgekit.results.figures.measured import Found, Measured, exact
from edgekit.results.plan import REFERENCE_RECIPE
from edgekit.text.quantities import BYTES

if TYPE_CHECKING:
    from edgekit.results.results import Results, Row


def _size_lost(row: Row, results: Results) -> Found:
    """Read how many bytes come on top of fp32's."""
    reference = _reference_bytes(row, results)
    if row.bytes is None or not reference:
        return f"there is no {row.format}/{REFERENCE_RECIPE} to compare with"
    return exact(row.bytes - reference)


def _size_share_lost(row: Row, results: Results) -> Found:
    """Read which share of fp32's bytes comes on top of them."""
    lost, reference = _size_lost(row, results), _reference_bytes(row, results)
    if not isinstance(lost, Measured) or not reference:
        return lost
    return exact(lost.value / reference)


def _reference_bytes(row: Row, results: Results) -> int | None:
    """Return the size of fp32, which is the same file for every engine."""
    sizes = (
        other.bytes
        for other in results.rows
        if (other.device, other.format) == (row.device, row.format)
        and other.recipe == REFERENCE_RECIPE
    )
    return next(sizes, None)


def _wire(compression: str) -> Callable[[Row], int | None]:
    return lambda row: row.wire_bytes.get(compression)


FIGURES = (
    Figure(
        "size",
        "The bytes of the artifact: of the file, or of all files of a TF.js folder.",
        SIZE,
        BYTES,
        lambda row: row.bytes,
        "less",
        title="size",
        csv="size_bytes",
        is_gated=True,
        concerns=is_artifact,
        baseline=Baseline(
            "Won against fp32 of the same format",
            has_reference,
            _size_lost,
            _size_share_lost,
            ("min_improvement",),
        ),
        compared_as="size",
        is_general=True,
    ),
    Figure(
        "wire.gzip",
        "The bytes of a download where the server compresses with gzip.",
        SIZE,
        BYTES,
        _wire("gzip"),
        "less",
        csv="gzip_bytes",
        is_gated=True,
        concerns=is_artifact,
        compared_as="wire.gzip",
        is_general=True,
    ),
    Figure(
        "wire.brotli",
        "The bytes of a download where the server compresses with Brotli.",
        SIZE,
        BYTES,
        _wire("brotli"),
        "less",
        title="brotli",
        csv="brotli_bytes",
        is_gated=True,
        concerns=is_artifact,
        compared_as="wire.brotli",
        is_general=True,
    ),
)
