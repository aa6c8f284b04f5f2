"""Memory does not grow with the number of samples."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.data import open_data, spool
from edgekit_runtimes.tensors import TensorSpec

SPEC = TensorSpec("image", (None, 64, 64, 3), "float32")
SAMPLE_BYTES = 64 * 64 * 3
FEW, MANY = 20, 200

# Ten times the samples may cost this much more: buffers, a tenth of the samples added.
SLACK = (MANY - FEW) * SAMPLE_BYTES // 10


def peak(work: Callable[[], Any]) -> int:
    """Return the most bytes that Python and numpy held at once while working."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def write(path: Path, kind: str, count: int) -> str:
    x = np.random.default_rng(0).integers(0, 255, (count, 64, 64, 3), np.uint8)
    if kind == "npy":
        np.save(path.with_suffix(".npy"), x)
        return str(path.with_suffix(".npy"))
    {"npz": np.savez, "compressed npz": np.savez_compressed}[kind](path.with_suffix(".npz"), x=x)
    return str(path.with_suffix(".npz"))


@pytest.mark.parametrize("kind", ["npy", "npz", "compressed npz"])
def test_reading_ten_times_the_samples_needs_no_more_memory(tmp_path: Path, kind: str) -> None:
    def read(text: str) -> None:
        dataset = open_data(text, [SPEC], "calibration")
        assert sum(1 for _ in dataset.model_inputs()) == dataset.length
        assert sum(1 for _ in dataset.take(10)) == 10

    texts = [write(tmp_path / f"d{count}", kind, count) for count in (FEW, MANY)]
    read(texts[0])
    few, many = (peak(lambda text=text: read(text)) for text in texts)
    assert many < few + SLACK
    assert many < MANY * SAMPLE_BYTES / 4


def test_spooling_ten_times_the_samples_needs_no_more_memory(tmp_path: Path) -> None:
    def write_all(text: str) -> None:
        spool(open_data(text, [SPEC], "calibration"), tmp_path / "spool")

    texts = [write(tmp_path / f"d{count}", "npz", count) for count in (FEW, MANY)]
    write_all(texts[0])
    few, many = (peak(lambda text=text: write_all(text)) for text in texts)
    assert many < few + SLACK
