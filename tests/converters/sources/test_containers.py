"""Damaged files around a model: one sentence, before anything is unpacked."""

from __future__ import annotations

import time
import zipfile
from pathlib import Path

import pytest
import tensorflow as tf
from sources_on_disk import write_saved_model

from edgekit_converters.sources.keras.file import read_file
from edgekit_converters.sources.saved_model.load import load
from edgekit_converters.sources.source import SourceOptions
from edgekit_runtimes.errors import SourceError


def archive(path: Path, *members: tuple[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for name, content in members:
            file.writestr(name, content)
    return path


def test_an_archive_that_unpacks_to_a_thousand_times_its_size_is_not_unpacked(
    tmp_path: Path,
) -> None:
    bomb = archive(tmp_path / "net.keras", ("config.json", b"{}"), ("w.h5", bytes(150_000_000)))
    start = time.monotonic()
    with pytest.raises(SourceError, match=r"declares 0.2 GB of weights, .* it is not unpacked"):
        read_file(bomb)
    assert time.monotonic() - start < 0.2


def test_an_archive_whose_directory_is_damaged_is_damaged(tmp_path: Path) -> None:
    path = archive(tmp_path / "net.keras", ("config.json", b"{}"), ("model.weights.h5", b"w" * 99))
    content = bytearray(path.read_bytes())
    # The first entry's signature in the directory; its end, by which a zip is known, stays.
    content[content.index(b"PK\x01\x02")] ^= 1
    path.write_bytes(content)
    assert zipfile.is_zipfile(path)
    with pytest.raises(SourceError, match=r"net.keras is damaged or cut off: .* Get it again."):
        read_file(path)


def test_a_saved_model_with_a_damaged_fingerprint_is_damaged(tmp_path: Path) -> None:
    folder = write_saved_model(tmp_path / "saved", "product")
    (folder / "fingerprint.pb").write_bytes(b"\xff" * 20)
    with pytest.raises(SourceError, match=r"could not be read as a SavedModel"):
        load(folder, SourceOptions({}))
    (folder / "fingerprint.pb").unlink()
    assert load(folder, SourceOptions({})).graph.input_specs[0].name == "x"
    assert tf.saved_model.contains_saved_model(str(folder))
