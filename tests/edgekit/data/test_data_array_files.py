"""Samples from .npz and .npy files: what is read, and what is said about files that do not fit."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.data import array_files, open_data
from edgekit_runtimes.errors import DataError, UsageError
from edgekit_runtimes.tensors import TensorSpec

IMAGE = TensorSpec("image", (None, 4, 4, 1), "float32")
META = TensorSpec("meta", (None, 3), "float32")
IDS = TensorSpec("ids", (None, 3), "int32")


def digits(count: int = 6) -> Any:
    return np.arange(count * 16, dtype=np.uint8).reshape(count, 4, 4, 1)


def save(path: Path, **arrays: Any) -> str:
    np.savez(path, **arrays)
    return str(path)


def values(dataset: Any, name: str) -> Any:
    return np.stack([sample.arrays[name] for sample in dataset])


def labels(dataset: Any) -> list[Any]:
    return [sample.label.tolist() for sample in dataset]


def refuse(tmp_path: Path, message: str, inputs: Any = (IMAGE,), **arrays: Any) -> None:
    text = save(tmp_path / "d.npz", **arrays)
    with pytest.raises(DataError, match=message) as caught:
        list(open_data(text, inputs, "calibration"))
    assert text in str(caught.value)


# --- What is read -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["x", "image"])
@pytest.mark.parametrize("writer", [np.savez, np.savez_compressed])
def test_an_npz_gives_its_samples_and_labels_as_they_are_stored(
    tmp_path: Path, name: str, writer: Any
) -> None:
    path = tmp_path / "d.npz"
    writer(path, **{name: digits()}, y=np.arange(6))
    dataset = open_data(str(path), [IMAGE], "calibration")
    assert values(dataset, "image").dtype == np.uint8
    assert np.array_equal(values(dataset, "image"), digits())
    assert labels(dataset) == [0, 1, 2, 3, 4, 5]
    assert (dataset.length, dataset.labelled, dataset.sample_bytes) == (6, True, 16)


def test_samples_can_be_read_again(tmp_path: Path) -> None:
    dataset = open_data(save(tmp_path / "d.npz", x=digits()), [IMAGE], "calibration")
    assert np.array_equal(values(dataset, "image"), values(dataset, "image"))


def test_evaluation_prefers_the_test_arrays_and_calibration_does_not(tmp_path: Path) -> None:
    arrays = {"x": digits(6), "y": np.zeros(6, int), "x_test": digits(2), "y_test": np.ones(2, int)}
    text = save(tmp_path / "d.npz", **arrays)
    assert labels(open_data(text, [IMAGE], "evaluation")) == [1, 1]
    assert labels(open_data(text, [IMAGE], "calibration")) == [0] * 6


def test_evaluation_takes_x_and_y_where_there_are_no_test_arrays(tmp_path: Path) -> None:
    text = save(tmp_path / "d.npz", x=digits(2), y=np.array([3, 4]))
    assert labels(open_data(text, [IMAGE], "evaluation")) == [3, 4]


def test_test_samples_do_not_get_the_labels_of_others(tmp_path: Path) -> None:
    text = save(tmp_path / "d.npz", x_test=digits(), y=np.arange(6))
    dataset = open_data(text, [IMAGE], "evaluation")
    assert not dataset.labelled
    assert dataset.notes == (f"{text} has labels 'y' but no 'y_test' for its test samples.",)


def test_several_inputs_are_read_by_name_and_so_are_their_test_arrays(tmp_path: Path) -> None:
    text = save(
        tmp_path / "d.npz",
        meta=np.zeros((6, 3)),
        image=digits(),
        meta_test=np.ones((2, 3)),
        image_test=digits(2),
        y_test=np.array([7, 8]),
    )
    assert len(list(open_data(text, [IMAGE, META], "calibration"))) == 6
    dataset = open_data(text, [IMAGE, META], "evaluation")
    assert np.array_equal(values(dataset, "meta"), np.ones((2, 3)))
    assert labels(dataset) == [7, 8]


def test_an_input_called_y_is_not_a_label(tmp_path: Path) -> None:
    text = save(tmp_path / "d.npz", image=digits(), y=np.zeros((6, 3)))
    dataset = open_data(text, [IMAGE, TensorSpec("y", (None, 3), "float32")], "calibration")
    assert not dataset.labelled


def test_an_npy_gives_samples_without_labels(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", digits())
    dataset = open_data(str(tmp_path / "d.npy"), [IMAGE], "evaluation")
    assert np.array_equal(values(dataset, "image"), digits())
    assert not dataset.labelled


@pytest.mark.parametrize("suffix", ["npz", "npy"])
def test_arrays_in_fortran_order_are_read(tmp_path: Path, suffix: str) -> None:
    array = np.asfortranarray(np.arange(12.0).reshape(4, 3))
    path = tmp_path / f"d.{suffix}"
    if suffix == "npz":
        np.savez_compressed(path, x=array)
    else:
        np.save(path, array)
    assert np.array_equal(values(open_data(str(path), [META], "calibration"), "meta"), array)


@pytest.mark.parametrize("few_bytes", [1, 100, 32_000_000])
@pytest.mark.parametrize("shape", [(5, 4, 4, 1), (40_000, 4, 4, 1)])
def test_the_first_samples_in_fortran_order_are_gathered_without_a_copy_of_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], few_bytes: int
) -> None:
    monkeypatch.setattr(array_files, "FEW_BYTES", few_bytes)
    array = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    text = save(tmp_path / "d.npz", x=np.asfortranarray(array))
    dataset = open_data(text, [IMAGE], "calibration")
    assert np.array_equal(values(dataset, "image"), array)
    monkeypatch.setattr(array_files, "FEW_BYTES", 32_000_000)
    # Nothing is copied: there is no place for a copy.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    few = [sample.arrays["image"] for sample in itertools.islice(dataset, 2)]
    assert np.array_equal(few, array[:2])


def test_a_model_without_a_batch_axis_gets_whole_tensors(tmp_path: Path) -> None:
    text = save(tmp_path / "d.npz", x=np.zeros((5, 7, 3)))
    dataset = open_data(text, [TensorSpec("steps", (7, 3), "float32")], "calibration")
    assert [arrays["steps"].shape for arrays in dataset.model_inputs(2)] == [(7, 3)] * 2


def test_integers_that_fit_are_cast_without_a_word(tmp_path: Path) -> None:
    text = save(tmp_path / "d.npz", x=np.array([[1, 2, 3]], np.int64))
    (arrays,) = open_data(text, [IDS], "calibration").model_inputs()
    assert arrays["ids"].dtype == np.int32
    assert arrays["ids"].tolist() == [[1, 2, 3]]


def test_float64_is_cast_to_float32_without_a_word(tmp_path: Path) -> None:
    text = save(tmp_path / "d.npz", x=np.full((1, 3), 0.1))
    (arrays,) = open_data(text, [META], "calibration").model_inputs()
    assert arrays["meta"].dtype == np.float32


# --- What does not fit --------------------------------------------------------------------------


def test_a_missing_name_is_reported_with_the_names_that_are_there(tmp_path: Path) -> None:
    refuse(tmp_path, "means nothing to edgekit", pictures=digits())
    refuse(tmp_path, "has no 'image' or 'x' for input 'image'; it holds 'y'", y=np.arange(6))
    refuse(tmp_path, "has no 'meta' for input 'meta'", (IMAGE, META), image=digits())


def test_an_unknown_name_is_reported_with_the_known_ones(tmp_path: Path) -> None:
    refuse(
        tmp_path,
        "holds 'y_tset', which .* Known here: 'image', 'image_test', 'x', 'x_test', 'y', 'y_test'",
        x=digits(),
        y_tset=np.arange(6),
    )


def test_two_arrays_for_one_input_are_refused(tmp_path: Path) -> None:
    refuse(tmp_path, "has 'image' and 'x', and either", x=digits(), image=digits())


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (
            (5, 4, 4),
            r"'x' has shape \(5, 4, 4\) and the model takes \(N, 4, 4, 1\).*x\[\.\.\., None",
        ),
        ((4, 4, 1), r"a single sample: .*x\[None\]"),
        ((5, 1, 4, 4), r"np\.moveaxis\(x, -3, -1\)"),
        ((5, 1, 4, 4, 1), r"has its own batch axis.*x\[:, 0\]"),
        ((5, 16), r"x\.reshape\(len\(x\), 4, 4, 1\)"),
        ((5, 9, 9, 3), "as the model was trained"),
        ((), "as the model was trained"),
    ],
)
def test_a_wrong_shape_is_reported_with_the_remedy(
    tmp_path: Path, shape: tuple[int, ...], message: str
) -> None:
    refuse(tmp_path, message, x=np.zeros(shape, np.float32))


def test_a_channel_axis_too_many_is_reported(tmp_path: Path) -> None:
    refuse(tmp_path, r"x\[\.\.\., 0\]", (META,), x=np.zeros((5, 3, 1)))


def test_a_lossy_dtype_is_refused(tmp_path: Path) -> None:
    refuse(
        tmp_path,
        "sample 0, input 'ids' is float64 and the model takes int32: the cast would change values",
        (IDS,),
        x=np.zeros((2, 3)),
    )
    refuse(
        tmp_path, "sample 1, input 'ids' is int64", (IDS,), x=np.array([[1, 2, 3], [1, 2, 2**40]])
    )


@pytest.mark.parametrize(
    ("value", "message"),
    [(np.nan, "NaN"), (np.inf, "infinity"), (1e300, "a value beyond float32")],
)
def test_a_value_that_is_not_a_number_is_reported_with_its_sample(
    tmp_path: Path, value: float, message: str
) -> None:
    array = np.zeros((9, 3))
    array[7, 1] = value
    refuse(tmp_path, f"sample 7, input 'meta' holds {message}", (META,), x=array)


@pytest.mark.parametrize("shape", [(0, 4, 4, 1), (0,)])
def test_zero_samples_are_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    refuse(tmp_path, "'x' holds no samples", x=np.zeros(shape))


def test_labels_of_another_length_are_refused(tmp_path: Path) -> None:
    refuse(tmp_path, "'x' has 6, .*'y' has 5", x=digits(), y=np.arange(5))


def test_labels_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    refuse(tmp_path, "'y'.* is <U3", x=digits(2), y=np.array(["cat", "dog"]))
    refuse(tmp_path, "'y': labels are bool", x=digits(2), y=np.array([True, False]))
    refuse(tmp_path, "sample 1: the label is NaN", x=digits(2), y=np.array([0, np.nan]))


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    refuse(tmp_path, "'x' holds Python objects", x=np.array([{}, {}], object))


def test_a_truncated_file_is_reported_with_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", x=digits())
    np.save(tmp_path / "d.npy", digits())
    for name in ("d.npz", "d.npy"):
        path = tmp_path / name
        path.write_bytes(path.read_bytes()[:-20])
        with pytest.raises(DataError, match=f"{name} is damaged or cut off, get it again: "):
            open_data(str(path), [IMAGE], "calibration")


def test_a_file_of_something_else_is_reported_with_its_name(tmp_path: Path) -> None:
    for name in ("d.npz", "d.npy"):
        for content in (b"", b"hello, world" * 9):
            (tmp_path / name).write_bytes(content)
            with pytest.raises(DataError, match=f"{name} is damaged or cut off"):
                open_data(str(tmp_path / name), [IMAGE], "calibration")


def test_damage_inside_a_member_is_reported_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "d.npz"
    x = np.random.default_rng(0).integers(0, 255, (500, 4, 4, 1), np.uint8)
    np.savez(path, x=x)
    content = bytearray(path.read_bytes())
    content[4000] ^= 255
    path.write_bytes(content)
    dataset = open_data(str(path), [IMAGE], "calibration")
    with pytest.raises(DataError, match=r"d\.npz is damaged or cut off.*CRC"):
        list(dataset)


def test_an_npy_for_several_inputs_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", digits())
    with pytest.raises(UsageError, match=r"2 inputs: image, meta\. Put them into one \.npz"):
        open_data(str(tmp_path / "d.npy"), [IMAGE, META], "calibration")


# --- What is not data ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("missing.npz", "No such file or folder: missing.npz"),
        ("some/folder", "No such file or folder: some/folder"),
        ("calib", "'calib' is not a file, a folder or module:function. Data is a .npz file"),
    ],
)
def test_a_word_that_names_nothing_is_wrong_use(text: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_data(text, [IMAGE], "calibration")
    assert str(caught.value).startswith(message)


def test_a_file_of_an_unknown_kind_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("1,2,3")
    with pytest.raises(UsageError, match=r"d\.csv is not data that edgekit reads\. Data is a"):
        open_data(str(tmp_path / "d.csv"), [IMAGE], "calibration")
