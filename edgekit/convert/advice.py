"""What to try where fidelity is low, chosen from what this very conversion measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgekit.bundle.manifest import ArtifactRecord
from edgekit.bundle.notes import Note
from edgekit.bundle.recipe import Recipe, parse_recipe
from edgekit.convert.differing import Differing
from edgekit.convert.judging import FLOAT
from edgekit.results.fidelity import GOOD_SQNR_DB
from edgekit_converters.calibration import FEW_SAMPLES, FEW_SAMPLES_COST
from edgekit_converters.formats import RECIPES
from edgekit_converters.graph.modifiers import modifiers


def low_fidelity(sqnr_db: float, limit: float, place: Differing | None) -> Note:
    """Return the warning of a fidelity under a limit; `with_advice` says what to try.

    place: where in the model it falls, if that could be found.
    """
    where = f"; it falls at {place}" if place else ""
    return Note(
        kind="low fidelity",
        text=f"fidelity is low (SQNR {sqnr_db:.1f} dB, under {limit:.0f} dB){where}",
        figures={"sqnr_db": sqnr_db, "limit_db": limit},
    )


def calibration_notes(samples: int | None, held_back: bool) -> tuple[Note, ...]:
    """Return what the user should know of an artifact's calibration.

    samples: how many calibrated it. held_back: whether others judged it.
    """
    notes = []
    if samples is not None and samples < FEW_SAMPLES:
        count = f"{samples} samples" if samples > 1 else "1 sample"
        text = f"only {count} calibrated it: {FEW_SAMPLES_COST}"
        notes.append(Note("few samples", text, {"samples": samples}))
    if not held_back:
        text = "its fidelity was judged on the samples that calibrated it; on others it is lower"
        notes.append(Note("seen in calibration", text))
    return tuple(notes)


def with_advice(
    record: ArtifactRecord, rows: Sequence[ArtifactRecord], samples: int | None
) -> ArtifactRecord:
    """Return a row whose warnings of low fidelity say what to try.

    rows: of the bundle. samples: how many calibrated.
    """
    if record.plan:
        return record
    made = [
        row
        for row in rows
        if row.format == record.format and row.id != record.id and row.plan is None
    ]
    advised = {"low fidelity": _advice(record, made, samples)} if _is_low(record) else {}
    notes = tuple(
        replace(note, advice=advised.get(note.kind, note.advice)) for note in record.notes
    )
    return replace(record, notes=notes)


def _advice(record: ArtifactRecord, others: Sequence[ArtifactRecord], samples: int | None) -> str:
    recipe = parse_recipe(record.recipe)
    declared = RECIPES[record.format][recipe.quantization]
    plain = next((row for row in others if row.recipe == recipe.quantization), None)
    if recipe.modifications and (plain is None or not _is_low(plain)):
        return " or ".join(modifiers()[one.word].advice for one in recipe.modifications)
    choices = []
    if declared.needs_calibration and samples is not None and samples < FEW_SAMPLES:
        choices.append(f"calibrate with more samples that look like real inputs than {samples}")
    if (best := _best(record, others)) is not None and best.fidelity is not None:
        choices.append(f"use {best.recipe}, which has {best.fidelity.sqnr_db:.1f} dB here")
    elif untried := _untried(record, recipe, others):
        choices.append(f"try {' or '.join(untried)}")
    return ", or ".join(choices) or f"stay with {FLOAT}"


def _is_low(row: ArtifactRecord) -> bool:
    return any(note.kind == "low fidelity" for note in row.notes)


def _best(record: ArtifactRecord, others: Sequence[ArtifactRecord]) -> ArtifactRecord | None:
    """Return the smallest artifact of the format that is right; None if only the largest is."""
    right = [
        row
        for row in others
        if row.fidelity is not None
        and row.fidelity.sqnr_db >= GOOD_SQNR_DB
        and not _is_low(row)
        and parse_recipe(row.recipe).quantization != FLOAT
    ]
    return min(right, key=lambda row: row.bytes or 0, default=None)


def _untried(record: ArtifactRecord, recipe: Recipe, others: Sequence[ArtifactRecord]) -> list[str]:
    tried = {row.recipe for row in others}
    return [
        name
        for name in RECIPES[record.format][recipe.quantization].instead
        if name in RECIPES[record.format] and name not in tried
    ]
