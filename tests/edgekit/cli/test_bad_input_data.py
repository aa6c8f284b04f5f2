"""Data that does not fit, through the command line: the message, the code, no output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from edgekit_runtimes.tensors import Array

Refused = Callable[..., tuple[str, int]]
SavedModels = Callable[[str], Path]

WRONG_USE = 2

GOOD = np.ones((5, 64), np.float32)
NAN = GOOD.copy()
NAN[2, 7] = np.nan
# Not one of the 50 golden samples: only the quantizers would meet it.
LATE_NAN = np.ones((200, 64), np.float32)
LATE_NAN[150] = np.nan


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"pixels": GOOD},
            "data.npz holds 'pixels', which means nothing to edgekit. Known here: 'features', "
            "'features_test', 'x', 'x_test', 'y', 'y_test'. Rename it or take it out.",
        ),
        (
            {"y": np.zeros(5)},
            "data.npz has no 'features' or 'x' for input 'features'; it holds 'y'.",
        ),
        (
            {"x": GOOD[:, :63]},
            "data.npz: 'x' has shape (5, 63) and the model takes (N, 64). Prepare the data as the "
            "model was trained on it.",
        ),
        (
            {"x": GOOD[0]},
            "data.npz: 'x' has shape (64) and the model takes (N, 64). That is a single sample: "
            "add an axis for the samples, x[None].",
        ),
        (
            {"x": GOOD.astype(str)},
            "data.npz: 'x' is <U32, and a model takes numbers. Convert it yourself.",
        ),
        (
            {"x": GOOD.astype(np.complex64)},
            "data.npz: 'x' is complex64, and a model takes numbers. Convert it yourself.",
        ),
        (
            {"x": np.full((5, 64), 2**53 + 1)},
            "data.npz: sample 0, input 'features' is int64 and the model takes float32: the cast "
            "would change values. Convert the data to float32 yourself.",
        ),
        (
            {"x": GOOD.astype(object)},
            "data.npz: 'x' holds Python objects, which could run code when they are read. Save it "
            "as an array of numbers.",
        ),
        (
            {"x": NAN},
            "data.npz: sample 2, input 'features' holds NaN. Repair the sample or leave it out.",
        ),
        (
            {"x": LATE_NAN},
            "data.npz: sample 150, input 'features' holds NaN. Repair the sample or leave it out.",
        ),
        ({"x": GOOD[:0]}, "data.npz: 'x' holds no samples; at least one is needed."),
        (
            {"x": GOOD, "y": np.zeros(4)},
            "Different numbers of samples: data.npz: 'x' has 5, data.npz: 'y' has 4. They must be "
            "the same.",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused_with_what_is_wrong(
    refused: Refused,
    saved_models: SavedModels,
    tmp_path: Path,
    arrays: dict[str, Array],
    message: str,
) -> None:
    np.savez(tmp_path / "data.npz", **arrays)
    words = ("--recipe", "fp32,int8", "--calibration", "data.npz")
    assert refused("convert", saved_models("dense_net"), *words) == (message, WRONG_USE)


@pytest.mark.parametrize("name", ["cut.npz", "cut.npy", "garbage.npz", "garbage.npy"])
def test_a_damaged_file_is_reported_with_its_name(
    refused: Refused, saved_models: SavedModels, tmp_path: Path, name: str
) -> None:
    path = tmp_path / name
    np.savez(path, x=GOOD) if path.suffix == ".npz" else np.save(path, GOOD)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] if path.stem == "cut" else b"\xff" * 999)
    message, code = refused("convert", saved_models("dense_net"), "--calibration", name)
    assert message.startswith(f"{name} is damaged or cut off, get it again: ")
    assert code == WRONG_USE


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("nosuch.npz", "No such file or folder: nosuch.npz"),
        ("net.keras", "net.keras is not data that edgekit reads. Data is a .npz file, a .npy"),
        ("nosuch", "'nosuch' is not a file, a folder or module:function. Data is a .npz file,"),
        ("nosuch:samples", "nosuch:samples: the module 'nosuch' could not be imported from "),
        ("empty", "empty is a folder of images, and the model takes features: float32[?, 64]:"),
    ],
)
def test_a_word_that_names_no_data_is_refused(
    refused: Refused, saved_models: SavedModels, tmp_path: Path, data: str, message: str
) -> None:
    (tmp_path / "net.keras").write_bytes(b"")
    (tmp_path / "empty").mkdir()
    found, code = refused("convert", saved_models("dense_net"), "--calibration", data)
    assert found.startswith(message)
    assert code == WRONG_USE


def test_a_folder_without_images_is_refused(
    refused: Refused, saved_models: SavedModels, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    message, code = refused("convert", saved_models("conv_net"), "--calibration", "photos")
    assert message.startswith("photos holds no images (.png, ")
    assert code == WRONG_USE


def test_a_damaged_image_is_reported_with_its_name(
    refused: Refused, saved_models: SavedModels, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    Image.new("L", (28, 28)).save(tmp_path / "photos" / "a.png")
    (tmp_path / "photos" / "b.png").write_bytes(b"\x89PNG and nothing else")
    message, code = refused("convert", saved_models("conv_net"), "--calibration", "photos")
    assert message.startswith("photos/b.png could not be read as an image: ")
    assert code == WRONG_USE


def test_an_npy_for_two_inputs_is_refused_with_the_names(
    refused: Refused, saved_models: SavedModels, tmp_path: Path
) -> None:
    np.save(tmp_path / "data.npy", GOOD)
    message, code = refused("convert", saved_models("two_in_two_out"), "--calibration", "data.npy")
    assert message == (
        "data.npy holds one array, and the model has 2 inputs: image, meta. Put them into one "
        ".npz, named so."
    )
    assert code == WRONG_USE


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--scale 0", "0.0 is not a factor to multiply values by; 1/255 is 0.00392157."),
        ("--std 0", "holds 0, and values are divided by it. Give other numbers."),
        (
            "--mean 1,2",
            "has 2 numbers, and the model takes features: float32[?, 64]. Give one number, or 64.",
        ),
        ("--mean low", "low is not understood. Write it as 0.5 or 0.485,0.456,0.406."),
        ("--resize 9x9", "is for folders of images, and data.npz is not one. Leave it out."),
        ("--resize 9", "9 is not understood. Write it as 224x224."),
    ],
)
def test_options_that_do_not_fit_the_data_are_refused(
    refused: Refused,
    saved_models: SavedModels,
    tmp_path: Path,
    words: str,
    message: str,
) -> None:
    np.savez(tmp_path / "data.npz", x=GOOD)
    option, value = words.split()
    data = ("--calibration", "data.npz", option, value)
    found = refused("convert", saved_models("dense_net"), *data)
    assert found == (f"{option} {message}", WRONG_USE)


def test_options_of_the_data_without_data_are_refused(
    refused: Refused, saved_models: SavedModels
) -> None:
    assert refused("convert", saved_models("dense_net"), "--scale", "2") == (
        "--resize, --scale, --mean and --std say how calibration data is read, and none is given. "
        "Add --calibration DATA.",
        WRONG_USE,
    )


def test_run_refuses_data_that_does_not_fit_the_artifact(
    refused: Refused, bundles: Callable[..., Path], tmp_path: Path
) -> None:
    artifact = bundles("dense_net", "--to", "tflite", "--recipe", "fp32") / "tflite/fp32.tflite"
    np.savez(tmp_path / "data.npz", x=GOOD[:, :63])
    assert refused("run", artifact, "--input", "data.npz") == (
        "data.npz: 'x' has shape (5, 63) and the model takes (N, 64). Prepare the data as the "
        "model was trained on it.",
        WRONG_USE,
    )
