"""Samples from module:function."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgekit.data import open_data
from edgekit_runtimes.errors import DataError
from edgekit_runtimes.tensors import TensorSpec

PAIR = TensorSpec("pair", (None, 2), "float32")
META = TensorSpec("meta", (None, 1), "float32")

MODULE = """
import numpy as np
import {helper}

def good():
    for number in range(4):
        yield {{"x": np.array([number, 0.5]), "y": number % 2}}

def several():
    yield {{"pair": [1, 2], "meta": [3]}}

def empty():
    return iter([])

def no_dict():
    yield np.zeros(2)

def no_name():
    yield {{"pairs": np.zeros(2)}}

def extra_name():
    yield {{"x": np.zeros(2), "weight": 1}}

def batch_axis():
    yield {{"x": np.zeros((1, 2))}}

def not_a_number():
    yield {{"x": np.zeros(2)}}
    yield {{"x": np.array([0, np.nan])}}

def strings():
    yield {{"x": ["a", "b"]}}

def ragged():
    yield {{"x": [[1], [2, 3]]}}

def some_labels():
    yield {{"x": np.zeros(2), "y": 1}}
    yield {{"x": np.zeros(2)}}

def raises():
    yield {{"x": np.zeros(2)}}
    raise KeyError("tray 7")

def nothing():
    pass

samples = good()

def only_once():
    return samples

constant = 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module in the working folder, which imports another one beside it."""
    name = f"samples_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(MODULE.format(helper=f"helper_{name}"))
    (tmp_path / f"helper_{name}.py").write_text("")
    (tmp_path / f"broken_{name}.py").write_text("def f(:")
    (tmp_path / f"script_{name}.py").write_text("import sys; sys.exit(0)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield name
    for loaded in (name, f"helper_{name}"):
        sys.modules.pop(loaded, None)


def read(text: str, *inputs: TensorSpec) -> list[Any]:
    return list(open_data(text, inputs or (PAIR,), "calibration"))


def test_a_function_in_the_working_folder_gives_samples_and_labels(module: str) -> None:
    dataset = open_data(f"{module}:good", [PAIR], "calibration")
    assert [sample.arrays["pair"].tolist() for sample in dataset] == [
        [number, 0.5] for number in range(4)
    ]
    assert [sample.label.tolist() for sample in dataset] == [0, 1, 0, 1]
    assert (dataset.length, dataset.labelled) == (None, True)
    assert len(list(dataset.take(3))) == 3


def test_a_function_gives_several_inputs_by_name(module: str) -> None:
    (sample,) = read(f"{module}:several", PAIR, META)
    assert sample.arrays["meta"].tolist() == [3]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        ("missing", "has no function 'missing'"),
        ("constant", "has no function 'constant'"),
        ("empty", "holds no samples"),
        ("nothing", "failed at sample 0: TypeError"),
        ("no_dict", "sample 0 is a ndarray; yield a dict with an array for each input: pair"),
        ("no_name", "sample 0 has no 'pair' or 'x' for input 'pair'; it holds 'pairs'"),
        ("extra_name", "sample 0 holds 'weight', which means nothing to edgekit"),
        ("batch_axis", r"sample 0, input 'pair' has shape \(1, 2\) .* takes \(2\).*x\[0\]"),
        ("not_a_number", "sample 1, input 'pair' holds NaN"),
        ("strings", "sample 0, input 'pair' is <U1, and a model takes numbers"),
        ("ragged", "sample 0 is not an array of numbers"),
        ("some_labels", "labels some samples and not others"),
        ("raises", "failed at sample 1: KeyError: 'tray 7'"),
        ("only_once", "returned the same iterator twice"),
    ],
)
def test_what_is_wrong_with_a_function_is_said(module: str, function: str, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read(f"{module}:{function}")
    assert f"{module}:{function}" in str(caught.value)


@pytest.mark.parametrize(
    ("prefix", "message"),
    [("absent", "ModuleNotFoundError"), ("broken", "SyntaxError"), ("script", "SystemExit")],
)
def test_a_module_that_cannot_be_imported_is_named(module: str, prefix: str, message: str) -> None:
    with pytest.raises(DataError, match=f"'{prefix}_{module}' could not be imported.*{message}"):
        read(f"{prefix}_{module}:good")
