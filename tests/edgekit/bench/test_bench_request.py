"""From a bundle to a bench: what is measured, and what a bundle of a stranger may not do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sources_on_disk as disk
from conftest import Answer
from PIL import Image

from edgekit.bench.request import BenchRequest, bench_request
from edgekit.bundle.bundle import load_bundle
from edgekit_runtimes.errors import UsageError

Cli = Callable[..., Answer]
SavedModels = Callable[[str], Path]

QUICK = ("--to", "tflite", "--recipe", "fp32", "-o", "net.edgekit")


def a_request(folder: Path, data: str | None = None, original: Path | None = None) -> BenchRequest:
    """Return the request for net.edgekit in a folder."""
    bundle = load_bundle(folder / "net.edgekit")
    return bench_request(bundle, folder / "work", data=data, original=original)


def test_the_original_is_measured_where_it_still_is_what_it_was(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    shutil.copy(saved_models("dense_net"), tmp_path / "net.keras")
    cli("convert", "net.keras", *QUICK)
    model = a_request(tmp_path).original
    assert model is not None
    assert model.path == str(tmp_path / "net.keras")
    shutil.copy(saved_models("recurrent_net"), tmp_path / "net.keras")
    assert a_request(tmp_path).original is None
    with pytest.raises(UsageError, match=r"is not the source that .* was made from"):
        a_request(tmp_path, original=tmp_path / "net.keras")
    (tmp_path / "net.keras").unlink()
    assert a_request(tmp_path).original is None


def test_code_of_a_source_runs_only_when_the_user_names_the_source(
    cli: Cli, tmp_path: Path
) -> None:
    disk.write_lambda(tmp_path / "net.keras")
    cli("convert", "net.keras", "--unsafe", *QUICK)
    assert a_request(tmp_path).original is None
    model = a_request(tmp_path, original=tmp_path / "net.keras").original
    assert model is not None
    assert model.options["unsafe"] is True


@pytest.mark.parametrize("place", ["/dev/zero", "/", "../work"])
def test_a_path_that_is_not_a_source_is_not_read(
    cli: Cli, saved_models: SavedModels, tmp_path: Path, place: str
) -> None:
    (tmp_path / "work").mkdir()
    cli("convert", saved_models("dense_net"), *QUICK)
    path = tmp_path / "net.edgekit" / "edgekit.json"
    form = json.loads(path.read_text())
    form["source"]["path"] = place
    path.write_text(json.dumps(form))
    assert a_request(tmp_path).original is None


def test_arrays_are_taken_where_the_bundle_was_calibrated_with_images(
    cli: Cli, saved_models: SavedModels, tmp_path: Path
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 28, 28), np.uint8)
    for number, image in enumerate(images):
        folder = tmp_path / "photos" / str(number % 2)
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(folder / f"{number}.png")
    np.savez(tmp_path / "test.npz", x=images[..., None], y=[0, 1, 0, 1])
    cli("convert", saved_models("conv_net"), "--calibration", "photos", "--scale", "0.5", *QUICK)
    for data in ("photos", "test.npz"):
        evaluation = a_request(tmp_path, data).evaluation
        assert evaluation is not None
        assert sorted(evaluation.labels.tolist()) == [0, 0, 1, 1]
    assert a_request(tmp_path).preprocessing.scale == 0.5
