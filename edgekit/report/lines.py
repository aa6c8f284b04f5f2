"""The lines around the table of a bench: what was measured on, what is missing, what words mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from edgekit.conclusion.conclusion import conclusions
from edgekit.conclusion.sentences import sentences
from edgekit.report.browser import browser_facts, software_note
from edgekit.report.columns import backends_of
from edgekit.results import REFERENCE_RECIPE
from edgekit.results.figures.figure import is_counted
from edgekit.results.figures.naming import RowNames
from edgekit.results.figures.ratios import DERIVED_MARK
from edgekit.text.grouping import grouped
from edgekit.text.units import TIME_UNITS, pick_unit, significant

if TYPE_CHECKING:
    from edgekit.results.results import Results, Row
    from edgekit.results.steadiness import Steadiness

# Readers of two medians take a difference of a tenth seriously.
NOTABLE_PACE = 0.1
# Verdicts that are said instead of "not faster".
LOSSES = ("slower", "more")


def conclusion_lines(device: str, rows: Sequence[Row]) -> list[str]:
    """Return what the rows of a device come to, one sentence a line.

    rows: all that are shown together.
    """
    return [
        line
        for conclusion in conclusions(row for row in rows if row.device == device)
        for line in sentences(conclusion, rows)
    ]


def row_notes(rows: Sequence[Row]) -> list[str]:
    """Return the lines for rows with something missing; rows of one reason share a line.

    rows: all of one device.
    """
    return [
        *_by_reason(rows, lambda row: row.reason and f"{row.status}: {row.reason}"),
        *_by_reason(rows, lambda row: row.ratio_reason and f"no ratio: {row.ratio_reason}"),
        *_by_reason(rows, lambda row: unsteady_note(row.steadiness)),
        *_by_reason(rows, not_faster_note),
        *_by_reason(
            rows, lambda row: row.accuracy_reason and f"no accuracy: {row.accuracy_reason}"
        ),
    ]


def not_faster_note(row: Row) -> str:
    """Return why an artifact is not faster than fp32, "" where it is."""
    verdict = row.ratio_to_fp32.verdict if row.ratio_to_fp32 else ""
    word = verdict if verdict in LOSSES else f"not {'fewer' if is_counted(row) else 'faster'}"
    texts = [reason.text for reason in row.reasons]
    return f"{word}: {'; '.join(texts)}" if texts else ""


def unsteady_note(steadiness: Steadiness | None) -> str:
    """Return what was not steady, "" where all was."""
    if steadiness is None:
        return ""
    facts = []
    if steadiness.trend is not None and "trend" in steadiness.flags:
        facts.append(f"{_slower(steadiness.trend)} in the last quarter than in the first")
    if steadiness.first_quarter is not None and "first quarter" in steadiness.flags:
        facts.append(f"{_slower(steadiness.first_quarter)} in the first quarter than in the others")
    return f"not steady: {', and '.join(facts)}" if facts else ""


def _slower(share: float) -> str:
    return f"{significant(100 * abs(share))} % {'slower' if share > 0 else 'faster'}"


def _by_reason(rows: Sequence[Row], text: Callable[[Row], str | None]) -> list[str]:
    names = RowNames(rows)
    said = ((reason, names.of(row)) for row in rows if (reason := text(row)))
    return [f"{', '.join(found)}: {reason}" for reason, found in grouped(said).items()]


def legend(results: Results, rows: Sequence[Row], is_wide: bool = True) -> list[str]:
    """Return only the explanations that this table needs.

    is_wide: whether it is that of all columns.
    """
    lines = []
    if any(row.unit == "instructions" and row.statistics for row in rows):
        lines.append(
            "instr.: instructions per inference, the fewest of five; not time, since caches, "
            "memory and clock rate do not count"
        )
        judged = max((row.fidelity.samples for row in rows if row.fidelity), default=0)
        if judged < results.samples:
            lines.append(f"top-1 and SQNR were judged on the first {judged} samples")
    if is_wide and any(row.ratio_to_original and row.ratio_to_original.derived for row in rows):
        lines.append(
            f"{DERIVED_MARK} derived: the ratio to fp32 times fp32's own ratio to the original"
        )
    agreements = [row.agreement_with_host for row in rows if row.agreement_with_host]
    if agreements and is_wide:
        lines.append(
            "vs host: the largest difference from the host's outputs of the same artifact, as a "
            f"share of the largest of them, on the first {agreements[0].samples} samples"
        )
    compared = [row.accuracy.difference for row in rows if row.accuracy and row.accuracy.difference]
    if any(difference.verdict == "same" for difference in compared):
        brackets = "the brackets say how large it could be"
        lines.append(
            "same: no difference in accuracy was found; "
            f"{brackets if is_wide else f'with --wide {brackets}'}"
        )
    environment = results.environments.get(rows[0].device, {}) if rows else {}
    for note in (pace_note(rows), software_note(environment, backends_of(rows))):
        if note:
            lines.append(note)
    is_judged = any(row.fidelity for row in rows)
    if results.noise and is_judged:
        why = (
            "no --data was given"
            if results.stands_in
            else "the bundle was made without calibration data"
        )
        lines.append(f"top-1 and SQNR were judged on {results.samples} samples of noise: {why}")
    if results.stands_in and is_judged:
        lines.append(f"there is no original: top-1 and SQNR compare with {results.stands_in}")
    named = [f"{row.id} is {results.files[row.id]}" for row in rows if row.id in results.files]
    if named:
        lines.append("; ".join(dict.fromkeys(named)))
    return lines


def pace_note(rows: Sequence[Row]) -> str:
    """Return a warning not to compare the medians of these rows, "" if they may be compared.

    Each row was measured at another time, with fp32 beside it: what fp32 took then shows how the
    machine's pace changed.
    """
    spans: list[tuple[float, float]] = []
    for reference in rows:
        if reference.recipe != REFERENCE_RECIPE or reference.statistics is None:
            continue
        place = (reference.format, reference.engine, reference.backend)
        beside = [
            float(np.median(np.concatenate([block.samples for block in row.reference_blocks])))
            for row in rows
            if row.reference_blocks
            and row.unit == "ns"
            and (row.format, row.engine, row.backend) == place
        ]
        medians = [reference.statistics.median, *beside]
        spans.append((min(medians), max(medians)))
    low, high = max(spans, key=lambda span: span[1] / span[0], default=(1, 1))
    if high < (1 + NOTABLE_PACE) * low:
        return ""
    unit = pick_unit((low, high), TIME_UNITS)
    least, most = (significant(value / unit.size) for value in (low, high))
    return (
        f"the machine changed its pace: the same fp32 artifact took {least} {unit.word} at one "
        f"time and {most} {unit.word} at another. Compare by the ratio, which is measured in "
        "turns, not by medians"
    )


def heading(device: str, results: Results) -> str:
    """Return what was measured on, as "host: AMD EPYC, 2 cores, 1 thread; litert 2.3.0"."""
    environment = results.environments.get(device, {})
    if "browser" in environment:
        backends = backends_of(row for row in results.rows if row.device == device)
        facts = tuple(browser_facts(environment, backends))
    elif environment.get("cpu") and "logical_cores" in environment:
        facts = (environment["cpu"], _counted(environment["logical_cores"], "core"))
    else:
        return device
    facts = (
        *facts,
        # A device that counts has one core and one thread regardless of what was asked for.
        _counted(1 if environment.get("unit") == "instructions" else results.threads, "thread"),
    )
    engines = [f"{name} {version}" for name, version in environment["engines"].items()]
    return "; ".join([f"{device}: {', '.join(facts)}", ", ".join(engines)])


def _counted(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
