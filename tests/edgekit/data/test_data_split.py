"""Which samples calibrate, and which are held back."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.bundle.golden import split_samples
from edgekit.data import open_data
from edgekit.data.split import hold_back, how_many_to_hold_back
from edgekit_runtimes.tensors import TensorSpec

NUMBER = TensorSpec("number", (None, 1), "float32")


def numbered(tmp_path: Path, count: int) -> Any:
    """A dataset whose samples hold their own number."""
    np.save(tmp_path / "d.npy", np.arange(count)[:, None])
    return open_data(str(tmp_path / "d.npy"), [NUMBER], "calibration")


@pytest.mark.parametrize(
    ("total", "held"), [(1, 0), (16, 0), (31, 0), (32, 8), (200, 50), (364, 64), (10_000, 64)]
)
def test_a_quarter_is_held_back_where_there_are_enough_and_64_at_most(
    total: int, held: int
) -> None:
    assert how_many_to_hold_back(total, golden=64) == held


def test_a_large_sample_is_held_back_alone() -> None:
    assert how_many_to_hold_back(20, golden=2) == 2


@pytest.mark.parametrize("classes", ["sorted", "in turns"])
def test_what_is_held_back_has_some_of_each_class(classes: str) -> None:
    split = hold_back(range(400), 64)
    of = [number // 40 if classes == "sorted" else number % 10 for number in split.golden]
    assert len(Counter(of)) == 10
    assert max(Counter(of).values()) <= 13


def test_calibration_sees_none_of_what_is_held_back_and_all_else(tmp_path: Path) -> None:
    split = split_samples(numbered(tmp_path, 200), may_hold_back=True)
    assert split.held_back
    assert (len(split.golden), len(split.calibration)) == (50, 150)
    assert sorted((*split.golden, *split.calibration)) == list(range(200))
    assert split_samples(numbered(tmp_path, 200), may_hold_back=True) == split


def test_of_much_data_300_samples_calibrate_and_64_others_judge(tmp_path: Path) -> None:
    split = split_samples(numbered(tmp_path, 5000), may_hold_back=True)
    assert (len(split.golden), len(split.calibration)) == (64, 300)
    assert not set(split.golden) & set(split.calibration)
    assert split.golden[0] < 500
    assert split.golden[-1] >= 4500


@pytest.mark.parametrize(("count", "may_hold_back"), [(20, True), (200, False)])
def test_else_the_golden_samples_calibrate_too(
    tmp_path: Path, count: int, may_hold_back: bool
) -> None:
    split = split_samples(numbered(tmp_path, count), may_hold_back)
    assert not split.held_back
    assert set(split.golden) <= set(split.calibration)


def test_samples_of_a_function_are_held_back_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"endless_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(
        "import itertools\n"
        "def samples():\n"
        "    for number in itertools.count():\n"
        "        yield {'number': [number]}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    dataset = open_data(f"{name}:samples", [NUMBER], "calibration")
    split = split_samples(dataset, may_hold_back=True)
    assert (len(split.golden), len(split.calibration)) == (64, 300)
    golden = [int(sample.arrays["number"][0]) for sample in dataset.pick(split.golden)]
    assert golden == list(split.golden)
    seen = [int(one["number"][0, 0]) for one in dataset.model_inputs(numbers=split.calibration)]
    assert seen == list(split.calibration)
