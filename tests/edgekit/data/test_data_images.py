"""Samples from folders of images."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from edgekit.data import DataOptions, open_data
from edgekit_runtimes.errors import DataError, MissingExtraError, UsageError
from edgekit_runtimes.tensors import TensorSpec

RGB = TensorSpec("image", (None, 8, 6, 3), "float32")
GRAY = TensorSpec("image", (None, 8, 6, 1), "float32")


def write_image(
    path: Path, value: int = 0, size: tuple[int, int] = (6, 8), mode: str = "RGB"
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    color = (value, 0, 0) if mode == "RGB" else value
    Image.new(mode, size, color).save(path)


def read(folder: Path, spec: TensorSpec = RGB, **options: Any) -> Any:
    return open_data(str(folder), [spec], "evaluation", DataOptions(**options))


def test_sub_folders_are_classes_in_the_order_of_their_names(tmp_path: Path) -> None:
    write_image(tmp_path / "dog" / "1.png", 10)
    write_image(tmp_path / "cat" / "2.png", 20)
    write_image(tmp_path / "cat" / "deep" / "3.png", 30)
    (tmp_path / "cat" / "notes.txt").write_text("no image")
    (tmp_path / ".cache").mkdir()
    dataset = read(tmp_path)
    found = [(int(s.arrays["image"][0, 0, 0]), s.label.tolist()) for s in dataset]
    assert found == [(20, 0), (30, 0), (10, 1)]
    assert dataset.class_names == ("cat", "dog")
    assert dataset.labelled


def test_a_flat_folder_has_no_labels(tmp_path: Path) -> None:
    write_image(tmp_path / "b.png", 2)
    write_image(tmp_path / "a.JPG", 200)
    dataset = read(tmp_path)
    assert not dataset.labelled
    assert [sample.arrays["image"].shape for sample in dataset] == [(8, 6, 3)] * 2


def test_images_keep_their_own_dtype_and_the_model_gets_its_own(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", 255)
    dataset = read(tmp_path, scale=1 / 255)
    (sample,) = dataset
    (arrays,) = dataset.model_inputs()
    assert sample.arrays["image"].dtype == np.uint8
    assert arrays["image"].shape == (1, 8, 6, 3)
    assert arrays["image"][0, 0, 0].tolist() == [1.0, 0.0, 0.0]


def test_the_model_s_channels_decide_between_gray_and_colour(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", 255)
    write_image(tmp_path / "b.png", 128, mode="L")
    without_channels = TensorSpec("image", (None, 8, 6), "float32")
    for spec, shape in ((GRAY, (8, 6, 1)), (RGB, (8, 6, 3)), (without_channels, (8, 6))):
        assert [sample.arrays["image"].shape for sample in read(tmp_path, spec)] == [shape] * 2
    gray, _ = read(tmp_path, GRAY)
    assert gray.arrays["image"][0, 0, 0] == 76  # red weighs .299 in luma


def test_images_are_resized_to_the_model_and_that_is_said_and_recorded(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", size=(40, 30))
    write_image(tmp_path / "b.png", size=(3, 3))
    dataset = read(tmp_path)
    assert [sample.arrays["image"].shape for sample in dataset] == [(8, 6, 3)] * 2
    assert dataset.preprocessing.resize == (8, 6)
    assert dataset.notes == ("Images are resized to the model's 8 x 6.",)


def test_resize_decides_where_the_model_leaves_the_size_open(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    open_size = TensorSpec("image", (None, None, None, 3), "float32")
    with pytest.raises(UsageError, match=r"leaves the size of images open.*--resize"):
        read(tmp_path, open_size)
    (sample,) = read(tmp_path, open_size, resize=(5, 7))
    assert sample.arrays["image"].shape == (5, 7, 3)


def test_a_resize_that_does_not_fit_the_model_is_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    with pytest.raises(
        UsageError, match=r"--resize 9x9 does not fit image: float32\[\?, 8, 6, 3\]"
    ):
        read(tmp_path, resize=(9, 9))


def test_resize_without_images_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", np.zeros((2, 8, 6, 3)))
    with pytest.raises(UsageError, match="--resize is for folders of images"):
        read(tmp_path / "d.npy", resize=(8, 6))


def test_a_damaged_image_is_reported_with_its_name(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    whole = tmp_path / "z.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (90, 90, 3), np.uint8)).save(whole)
    whole.write_bytes(whole.read_bytes()[:9000])
    with pytest.raises(DataError, match=r"z\.png could not be read as an image"):
        list(read(tmp_path))


def test_sixteen_bits_a_channel_are_refused_rather_than_cut(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 6), 40000, np.uint16)).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"a\.png has more than 8 bits per channel"):
        read(tmp_path, GRAY)


def test_a_folder_without_images_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no image")
    with pytest.raises(DataError, match=r"holds no images \(\.png, "):
        read(tmp_path)


def test_loose_images_beside_classes_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    write_image(tmp_path / "cat" / "b.png")
    with pytest.raises(
        DataError, match=r"images beside sub-folders of images \(a\.png, cat/b\.png\)"
    ):
        read(tmp_path)


def test_a_model_that_takes_no_images_is_named(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png")
    with pytest.raises(UsageError, match=r"the model takes features: float32\[\?, 64\]"):
        read(tmp_path, TensorSpec("features", (None, 64), "float32"))
    meta = TensorSpec("meta", (None, 3), "float32")
    with pytest.raises(UsageError, match="2 inputs: image, meta"):
        open_data(str(tmp_path), [RGB, meta], "calibration")


def test_a_missing_pillow_is_reported_with_the_pip_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "a.png")
    real_import = builtins.__import__

    def import_without_pillow(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "PIL":
            raise ImportError(name)
        return real_import(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", import_without_pillow)
    with pytest.raises(MissingExtraError, match=r"pip install 'edgekit\[convert\]'"):
        read(tmp_path)
