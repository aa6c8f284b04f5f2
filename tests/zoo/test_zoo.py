"""A part of the zoo that takes seconds, and what must be true of all of it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from zoo.case import Case
from zoo.cases import all_cases
from zoo.coverage import uncovered, uncovered_families
from zoo.judge import CRASHED, NONE, REFUSED, RIGHT, WRONG, judge_refusal, judge_row
from zoo.kept import Kept
from zoo.page import render, summary
from zoo.walk import FORMATS, Job, plan, settled
from zoo.worker import convert

from edgekit.bundle.manifest import ArtifactRecord
from edgekit.bundle.notes import Note
from edgekit.convert.judging import HALF_NOTE, ROUNDING
from edgekit.results.fidelity import FidelityAccumulator

# One of each kind of rewriting, in one model.
KINDS = (
    "Convolutions: Conv2D filters=4 kernel_size=3 data_format=channels_first",
    "Convolutions: Conv2DTranspose dilation_rate=2",
    "Pooling: AveragePooling3D padding=same",
    "Activations: Activation activation=gelu",
    "Attention: MultiHeadAttention",
    "Shapes: UpSampling2D interpolation=lanczos3",
    "Categories: Discretization output_mode=multi_hot",
    "ops: element by element: arctanh",
    "ops: reductions: argmax axis=1",
    "ops: reductions: cumprod axis=1",
    "ops: reductions: median axis=-1",
    "ops: shapes: roll shift=3 axis=1",
)
NAMES = "Forms: names with spaces, slashes and umlauts"


@functools.cache
def by_id() -> dict[str, Case]:
    return {case.id: case for case in all_cases()}


def test_every_layer_of_keras_and_every_family_is_in_the_zoo() -> None:
    assert uncovered(by_id().values()) == []
    assert uncovered_families() == []


def test_a_layer_without_a_case_is_noticed() -> None:
    without = [case for case in by_id().values() if "PReLU" not in case.covers]
    assert uncovered(without) == ["PReLU"]


@pytest.mark.slow
def test_one_of_each_kind_is_right_in_every_format() -> None:
    cells = list(convert([by_id()[name] for name in KINDS], list(FORMATS), ["fp32"]))
    assert len(cells) == len(KINDS) * len(FORMATS)
    assert [cell for cell in cells if cell["status"] != RIGHT] == []


@pytest.mark.slow
def test_names_that_tensorflow_does_not_take_are_converted() -> None:
    cells = list(convert([by_id()[NAMES]], list(FORMATS), ["fp32"]))
    assert [cell["status"] for cell in cells] == [RIGHT] * len(FORMATS)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        ("TFLite has no operator for: Roll (roll_1). Replace those layers.", REFUSED),
        ("'functional/roll/Roll' works channels first. Build it otherwise.", REFUSED),
        ("TFLite conversion failed: <unknown>:0: error: loc(callsite(fused", CRASHED),
        ("ValueError: Roll: 'axis' is not an axis", CRASHED),
        ("Something is not supported", CRASHED),
        ("differs from the original: 12.0 dB; the first tensor that differs: 'a'", WRONG),
        ("nothing to quantize", NONE),
    ],
)
def test_a_refusal_is_one_that_names_the_layer_in_our_words(reason: str, status: str) -> None:
    case = Case("ops", "roll", ())
    assert judge_refusal(reason, case).status == status


def test_results_are_kept_and_what_is_kept_is_not_done_again(tmp_path: Path) -> None:
    cases = [by_id()[name] for name in KINDS[:2]]
    cell = {"format": "onnx", "recipe": "fp32", "status": RIGHT, "sqnr_db": "inf", "reason": ""}
    Kept(tmp_path / "kept.jsonl").add({"case": case.id, **cell} for case in cases)
    kept = Kept(tmp_path / "kept.jsonl")
    (job,) = plan(cases, kept, ["fp32"])
    assert job.formats == ("tflite", "tfjs")
    assert job.cases == KINDS[:2]


def test_the_page_and_the_summary_name_every_fault_and_what_was_not_run(tmp_path: Path) -> None:
    case = by_id()[KINDS[0]]
    kept = Kept(tmp_path / "kept.jsonl")
    right = {"case": case.id, "recipe": "fp32", "status": RIGHT, "sqnr_db": 131.4, "reason": ""}
    wrong = {**right, "status": WRONG, "sqnr_db": 3.0, "reason": "under 60 dB and said nothing"}
    kept.add([{**right, "format": "onnx"}, {**wrong, "format": "tfjs"}])
    text, good = summary([case], kept)
    assert not good
    assert text.splitlines() == [
        f"wrong: tfjs/fp32 of {case.id}: under 60 dB and said nothing",
        "fp32: 1 of 2 right (50.0%), 0 refused",
    ]
    page = render([case], kept)
    assert "| fp32 | 1 | 0 | 0 | 0 | 1 | 0 | 1 | 60 |" in page
    assert "| Conv2D | 1 | ? / ? / ? / ? | **wrong** / ? / ? / ? | 131 / ? / ? / ? |" in page
    assert "tfjs/fp32 of Conv2D filters=4 kernel_size=3 data_format=channels_first: under" in page


def test_a_net_that_crashes_in_company_is_found_and_the_others_are_not_blamed() -> None:
    waiting = [Job(KINDS, FORMATS, ("fp32",))]
    sure: list[dict[str, Any]] = []
    while waiting:
        job = waiting.pop()
        status = CRASHED if KINDS[0] in job.cases else RIGHT
        cells = [
            {"case": case, "format": name, "recipe": "fp32", "status": status}
            for case in job.cases
            for name in job.formats
        ]
        done, more = settled(job, cells)
        sure += done
        waiting += more
    assert len(sure) == len(KINDS) * len(FORMATS)
    assert {cell["case"] for cell in sure if cell["status"] == CRASHED} == {KINDS[0]}


@pytest.mark.parametrize(
    ("note", "status"),
    [
        (HALF_NOTE, RIGHT),
        (Note("note", "more is not to be had", {"sqnr_db": 20.0, ROUNDING: 22.0}), RIGHT),
        (Note("note", "ops are computed one at a time"), WRONG),
    ],
)
def test_what_is_far_from_the_original_is_right_only_if_a_note_says_why(
    note: Note, status: str
) -> None:
    judged = FidelityAccumulator({"y": np.array([[1.0, 2.0], [4.0, 3.0]])})
    judged.add(0, {"y": np.array([[1.0, 2.0], [4.0, 3.5]])})
    row = ArtifactRecord("onnx/fp32", "onnx", "fp32", "ok", fidelity=judged.result(), notes=(note,))
    assert judge_row(row, by_id()[KINDS[0]], None).status == status


def test_what_a_whole_company_does_not_have_is_not_looked_for_in_each_net() -> None:
    job = Job(KINDS, ("tfjs",), ("int8",))
    cells = [
        {"case": case, "format": "tfjs", "recipe": "int8", "status": NONE} for case in job.cases
    ]
    assert settled(job, cells) == (cells, [])
