"""What is advised where fidelity is low: what this very conversion measured."""

from __future__ import annotations

import math

import pytest

from edgekit.bundle.manifest import ArtifactRecord
from edgekit.bundle.notes import Note
from edgekit.convert.advice import calibration_notes, low_fidelity, with_advice
from edgekit.results.fidelity import Fidelity, OutputFidelity

MANY, FEW = 300, 20


def row(recipe: str, sqnr_db: float, size: int, name: str = "tflite") -> ArtifactRecord:
    """Return a row as it is before advice is added, without the files that it would have."""
    fidelity = Fidelity({"y": OutputFidelity(8, 1.0, 1.0, sqnr_db, 0.1)})
    low = (low_fidelity(sqnr_db, 10, None),) if sqnr_db < 10 else ()
    return ArtifactRecord(
        f"{name}/{recipe}", name, recipe, "ok", bytes=size, fidelity=fidelity, notes=low
    )


FP32, FP16 = row("fp32", 130, 400), row("fp16", 62, 200)
WEIGHTS, DYNAMIC = row("int8-weights", 36.25, 110), row("int8-dynamic", 12, 105)
INT8, INT16X8 = row("int8", 3, 100), row("int16x8", 1.2, 104)


def advice(record: ArtifactRecord, *others: ArtifactRecord, samples: int = MANY) -> str | None:
    (note,) = with_advice(record, [record, *others], samples).notes
    return note.advice


def test_the_smallest_artifact_that_is_right_is_advised() -> None:
    assert advice(INT8, FP32, FP16, WEIGHTS) == "use int8-weights, which has 36.2 dB here"


def test_what_is_low_itself_or_hardly_right_is_not_advised() -> None:
    others = FP32, FP16, DYNAMIC, INT16X8
    assert advice(INT8, *others) == "use fp16, which has 62.0 dB here"


def test_what_was_not_tried_is_advised_where_nothing_is_right() -> None:
    assert advice(INT8, FP32) == "try int8-weights or int16x8 or fp16"
    assert advice(INT8, FP32, INT16X8) == "try int8-weights or fp16"
    assert advice(INT16X8, FP32, INT8) == "try int8-weights or fp16"


def test_rows_of_other_formats_say_nothing() -> None:
    assert advice(INT8, FP32, row("int8-weights", 36, 110, "onnx")) == (
        "try int8-weights or int16x8 or fp16"
    )


def test_where_everything_was_tried_fp32_is_left() -> None:
    assert advice(row("int8-weights", 3, 110), FP32, row("fp16", 5, 200)) == "stay with fp32"


def test_more_samples_are_advised_where_few_calibrated() -> None:
    assert advice(INT8, FP32, WEIGHTS, samples=FEW) == (
        "calibrate with more samples that look like real inputs than 20, or use int8-weights, "
        "which has 36.2 dB here"
    )
    assert advice(row("int8-dynamic", 3, 105), FP32, WEIGHTS, samples=FEW) == (
        "use int8-weights, which has 36.2 dB here"
    )


def test_a_modifier_is_to_blame_unless_the_recipe_without_it_is_low_too() -> None:
    pruned = row("int8+prune90", 2, 100)
    assert advice(pruned, FP32) == "prune less"
    assert advice(pruned, FP32, row("int8", 30, 100)) == "prune less"
    assert advice(pruned, FP32, INT8, WEIGHTS) == "use int8-weights, which has 36.2 dB here"


def test_a_row_that_is_right_stays_as_it_is() -> None:
    assert with_advice(WEIGHTS, [WEIGHTS, FP32], MANY) == WEIGHTS


@pytest.mark.parametrize(
    ("samples", "held_back", "kinds"),
    [
        (300, True, []),
        (99, True, ["few samples"]),
        (300, False, ["seen in calibration"]),
        (16, False, ["few samples", "seen in calibration"]),
    ],
)
def test_few_samples_and_samples_that_calibration_saw_are_warnings(
    samples: int, held_back: bool, kinds: list[str]
) -> None:
    notes = calibration_notes(samples, held_back)
    assert [note.kind for note in notes] == kinds
    assert all(note.is_warning for note in notes)


def test_one_sample_is_said_so() -> None:
    assert calibration_notes(1, True)[0].text.startswith("only 1 sample calibrated it: ")


def test_where_it_falls_is_part_of_the_warning() -> None:
    note = low_fidelity(-math.inf, 30, None)
    assert str(note) == "warning: fidelity is low (SQNR -inf dB, under 30 dB)"
    assert isinstance(note, Note)
