"""Figures of size: the file and its downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgekit.results import REFERENCE_RECIPE
from edgekit.results.figures.figure import (
    SIZE,
    Baseline,
    Compared,
    Figure,
    Gated,
    Kind,
    Shown,
    has_reference,
    is_artifact,
)
from edgekit.results.figures.measured import Found, Measured, exact
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


BYTES_OF_FILES = Kind(SIZE, BYTES, "less")
AGAINST_FP32 = Baseline(
    "Won against fp32 of the same format",
    has_reference,
    _size_lost,
    _size_share_lost,
    ("min_improvement",),
)

FIGURES = (
    Figure(
        "size",
        "The bytes of the artifact: of the file, or of all files of a TF.js folder.",
        BYTES_OF_FILES,
        lambda row: row.bytes,
        "size_bytes",
        Shown("size"),
        Gated(is_artifact, baseline=AGAINST_FP32),
        Compared("size", is_general=True),
    ),
    Figure(
        "wire.gzip",
        "The bytes of a download where the server compresses with gzip.",
        BYTES_OF_FILES,
        lambda row: row.wire_bytes.get("gzip"),
        "gzip_bytes",
        gated=Gated(is_artifact),
        compared=Compared("wire.gzip", is_general=True),
    ),
    Figure(
        "wire.brotli",
        "The bytes of a download where the server compresses with Brotli.",
        BYTES_OF_FILES,
        lambda row: row.wire_bytes.get("brotli"),
        "brotli_bytes",
        Shown("brotli"),
        Gated(is_artifact),
        Compared("wire.brotli", is_general=True),
    ),
)
