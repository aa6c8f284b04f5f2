"""Samples written to .npy files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.data import open_data, spool
from edgekit_runtimes.errors import DataError, EdgekitError
from edgekit_runtimes.tensors import TensorSpec

PAIR = TensorSpec("a/pair", (None, 2), "float32")
META = TensorSpec("meta", (None, 3), "float32")


def dataset(tmp_path: Path, count: int = 12) -> Any:
    np.savez(
        tmp_path / "d.npz",
        **{"a/pair": np.arange(count * 2, dtype=">i2").reshape(count, 2)},
        meta=np.ones((count, 3)),
        y=np.arange(count),
    )
    return open_data(str(tmp_path / "d.npz"), [PAIR, META], "calibration")


def test_all_samples_are_written_in_their_own_dtype_with_labels(tmp_path: Path) -> None:
    counts: list[int] = []
    spooled = spool(dataset(tmp_path), tmp_path / "out", progress=counts.append)
    pairs = np.load(spooled.inputs["a/pair"])
    assert pairs.dtype == np.int16
    assert pairs.tolist() == np.arange(24).reshape(12, 2).tolist()
    assert np.load(spooled.inputs["meta"]).shape == (12, 3)
    assert spooled.labels is not None
    assert np.load(spooled.labels).tolist() == list(range(12))
    assert spooled.count == 12
    assert counts == list(range(1, 13))


def test_a_limit_of_bytes_counts_all_inputs_and_keeps_one_sample_at_least(tmp_path: Path) -> None:
    sample_bytes = 2 * 2 + 3 * 8
    for max_bytes, count in ((5 * sample_bytes + 1, 5), (1, 1), (10**6, 12)):
        spooled = spool(dataset(tmp_path), tmp_path / "out", max_bytes=max_bytes)
        assert spooled.count == count
        assert len(np.load(spooled.inputs["meta"])) == count
    assert spool(dataset(tmp_path), tmp_path / "out", limit=3, max_bytes=10**6).count == 3


def test_samples_that_differ_in_shape_are_refused_and_no_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uneven.py").write_text(
        "def samples():\n    for size in (2, 2, 3):\n        yield {'x': [[0.5] * size] * 7}\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    any_length = TensorSpec("steps", (7, None), "float32")
    uneven = open_data("uneven:samples", [any_length], "calibration")
    with pytest.raises(
        DataError, match=r"is float64\[7, 3\] in sample 2 and float64\[7, 2\] before"
    ):
        spool(uneven, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(EdgekitError, match=r"Samples could not be written to .*out"):
        spool(dataset(tmp_path), tmp_path / "out")
