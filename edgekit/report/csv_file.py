"""The report as CSV (RFC 4180): a row an artifact and device, plain numbers, units in the names.

A cell is empty where there is no value. Infinite values are `inf` and `-inf`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from edgekit.report.merge import Report, Section
from edgekit.results.results import Row
from edgekit.results.statistics import Ratio

Cells = Mapping[str, Any]

# A count of instructions is no latency.
PREFIXES = {"ns": "latency_", "instructions": ""}


def render_csv(report: Report) -> str:
    """Return one table for all sections, its first line the names."""
    lines = [_cells(section, row) for section in report.sections for row in section.rows]
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, dict.fromkeys(name for line in lines for name in line))
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()


def _cells(section: Section, row: Row) -> Cells:
    results = section.results
    return {
        "file": section.file,
        "bundle": results.bundle,
        "created": results.created,
        "edgekit": results.edgekit,
        "device": section.device,
        "threads": results.threads,
        "id": row.id,
        "format": row.format,
        "recipe": row.recipe,
        "engine": row.engine,
        "backend": row.backend,
        "status": row.status,
        "reason": row.reason,
        "size_bytes": row.bytes,
        "gzip_bytes": row.wire_bytes.get("gzip"),
        "brotli_bytes": row.wire_bytes.get("brotli"),
        **dict(_time_cells(row)),
        **_ratio_cells("ratio_to_fp32", row.ratio_to_fp32),
        "verdict": row.ratio_to_fp32.verdict if row.ratio_to_fp32 else None,
        "ratio_reason": row.ratio_reason,
        "why_not_faster": "; ".join(reason.text for reason in row.reasons),
        **_ratio_cells("ratio_to_original", row.ratio_to_original),
        "ratio_to_original_derived": row.ratio_to_original and row.ratio_to_original.derived,
        **_fidelity_cells(row),
        **_accuracy_cells(row),
    }


def _time_cells(row: Row) -> Iterator[tuple[str, Any]]:
    """Yield the columns of both units: a row has values in those of its own."""
    statistics = row.statistics
    yield "runs", statistics and statistics.runs
    yield "outliers", statistics and statistics.outliers
    for unit, prefix in PREFIXES.items():
        own = statistics if row.unit == unit else None
        yield f"{prefix}median_{unit}", own and own.median
        yield f"{prefix}p90_{unit}", own and own.p90
        yield f"{prefix}mad_{unit}", own and own.mad
        yield f"{prefix}min_{unit}", own and own.min
        for name, values in (("load", row.load_ns), ("first_run", row.first_run_ns)):
            yield f"{name}_median_{unit}", _median(values) if row.unit == unit else None
    yield "download_median_ns", _median(row.download_ns)
    yield "start_median_ns", _median(row.start_ns)
    yield "unsteady", " and ".join(row.steadiness.flags) if row.steadiness else None


def _median(values: Sequence[int]) -> float | None:
    return float(np.median(values)) if values else None


def _ratio_cells(name: str, ratio: Ratio | None) -> Cells:
    return {
        name: ratio and ratio.value,
        f"{name}_low": ratio and ratio.low,
        f"{name}_high": ratio and ratio.high,
    }


def _fidelity_cells(row: Row) -> Cells:
    """Return the worst of all outputs, as in the table."""
    fidelity = row.fidelity
    return {
        "fidelity_samples": fidelity and fidelity.samples,
        "fidelity_top1": fidelity and fidelity.top1,
        "fidelity_cosine": fidelity and fidelity.cosine,
        "fidelity_sqnr_db": fidelity and fidelity.sqnr_db,
        "fidelity_max_abs_error": fidelity and fidelity.max_abs_error,
        "fidelity_nan": fidelity and fidelity.nan,
    }


def _accuracy_cells(row: Row) -> Cells:
    """Return the figures, the interval of the one that has it, and the difference to another."""
    accuracy = row.accuracy
    difference = accuracy and accuracy.difference
    return {
        "accuracy_output": accuracy and accuracy.output,
        "accuracy_samples": accuracy and accuracy.samples,
        "accuracy_top1": accuracy and accuracy.top1,
        "accuracy_mae": accuracy and accuracy.mae,
        "accuracy_rmse": accuracy and accuracy.rmse,
        "accuracy_metric": accuracy and accuracy.metric,
        "accuracy_value": accuracy and accuracy.value,
        "accuracy_low": accuracy and accuracy.low,
        "accuracy_high": accuracy and accuracy.high,
        "accuracy_nan": accuracy and accuracy.nan,
        "accuracy_reason": row.accuracy_reason,
        "accuracy_compared_with": difference and difference.compared_with,
        "accuracy_difference": difference and difference.value,
        "accuracy_difference_low": difference and difference.low,
        "accuracy_difference_high": difference and difference.high,
        "accuracy_verdict": difference and difference.verdict,
    }
