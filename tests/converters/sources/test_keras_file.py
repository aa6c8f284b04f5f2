"""Keras files looked through before they are loaded: what they declare, and what they would run."""

from __future__ import annotations

import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from edgekit_converters.sources import load_source
from edgekit_converters.sources.keras.file import read_file
from edgekit_runtimes.errors import SourceError


def save(path: Path, layer: keras.layers.Layer, dtype: str = "float32") -> Path:
    """Write a model of one layer, called on x [?, 4]."""
    x = keras.Input((4,), name="x", dtype=dtype)
    keras.Model(x, layer(x)).save(path)
    return path


def test_a_file_says_who_wrote_it(tmp_path: Path) -> None:
    for name in ("net.keras", "net.h5"):
        file = read_file(save(tmp_path / name, layers.Dense(2)))
        assert (file.version, file.is_legacy) == (keras.__version__, False)
        assert file.config["class_name"] == "Functional"


def test_an_archive_that_declares_far_more_than_it_holds_is_not_unpacked(tmp_path: Path) -> None:
    path = save(tmp_path / "net.keras", layers.Dense(2))
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("assets/zeros", "w", force_zip64=True) as member,
    ):
        for _ in range(20):
            member.write(bytes(60_000_000))
    with pytest.raises(SourceError, match=r"has 1\.2 MB and declares 1\.2 GB of weights, which"):
        load_source(path)


def test_arrays_that_declare_far_more_than_the_file_are_not_read(tmp_path: Path) -> None:
    path = save(tmp_path / "net.h5", layers.Dense(2))
    with h5py.File(path, "a") as file:
        file.create_dataset("void", (40_000, 40_000), "float32", chunks=(1000, 1000))
    with pytest.raises(SourceError, match=r"declares 6\.4 GB of weights, which Keras would have"):
        load_source(path)


def test_a_saved_model_in_a_layer_is_called_what_it_is(tmp_path: Path) -> None:
    keras.Sequential([keras.Input((4,)), layers.Dense(2)]).export(tmp_path / "in", verbose=False)
    layer = layers.TFSMLayer(str(tmp_path / "in"), call_endpoint="serve")
    with pytest.raises(SourceError) as raised:
        load_source(save(tmp_path / "net.keras", layer))
    assert str(raised.value) == (
        f"{tmp_path / 'net.keras'} holds a TFSMLayer layer, which runs a SavedModel from outside "
        f"of the file ({tmp_path / 'in'}). Bring that SavedModel itself; or allow it with "
        "--unsafe, if you trust both."
    )


def test_a_vocabulary_outside_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "numbers.txt").write_text("3\n5\n")
    path = save(tmp_path / "net.keras", layers.IntegerLookup(vocabulary=[3, 5]), "int64")
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    words = f'"vocabulary": "{tmp_path / "numbers.txt"}"'.encode()
    members["config.json"] = members["config.json"].replace(b'"vocabulary": [3, 5]', words)
    assert words in members["config.json"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(SourceError, match="IntegerLookup layer, which reads its vocabulary"):
        load_source(path)


def test_a_file_of_keras_3_is_read_by_keras_3(tmp_path: Path) -> None:
    layer = layers.Activation("hard_sigmoid", name="y")
    source = load_source(save(tmp_path / "net.h5", layer))
    x = np.float32([[-3, -1, 1, 3]])
    # That of Keras 2 is 0.2 x + 0.5.
    np.testing.assert_allclose(source.run({"x": x})["y"], [[0, 1 / 3, 2 / 3, 1]], atol=1e-6)
