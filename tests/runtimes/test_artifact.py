"""Artifacts as files."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from edgekit_runtimes.artifact import artifact_format, sha256_of, size_of
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.formats import FORMATS


def make_tfjs(folder: Path) -> Path:
    folder.mkdir()
    (folder / "model.json").write_bytes(b"{}")
    (folder / "group1-shard1of1.bin").write_bytes(b"\0" * 40)
    return folder


@pytest.mark.parametrize(("name", "expected"), [("a.tflite", "tflite"), ("B.ONNX", "onnx")])
def test_a_file_is_of_the_format_of_its_suffix(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / name).touch()
    assert artifact_format(tmp_path / name) == expected
    assert expected in FORMATS


def test_a_folder_with_a_model_json_is_a_tfjs_model(tmp_path: Path) -> None:
    assert artifact_format(make_tfjs(tmp_path / "web")) == "tfjs"


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.tflite: no such file or folder"):
        artifact_format(tmp_path / "none.tflite")


def test_a_file_of_another_kind_is_refused_with_what_is_expected(tmp_path: Path) -> None:
    (tmp_path / "model.keras").touch()
    with pytest.raises(UsageError, match=r"keras is not an artifact: expected a \.tflite or"):
        artifact_format(tmp_path / "model.keras")


def test_a_folder_without_a_model_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not an artifact"):
        artifact_format(tmp_path)


def test_the_model_json_itself_leads_to_its_folder(tmp_path: Path) -> None:
    folder = make_tfjs(tmp_path / "web")
    with pytest.raises(UsageError, match=r"give the folder of a TF\.js model, .*web\."):
        artifact_format(folder / "model.json")


def test_the_hash_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(b"edge")
    assert sha256_of(tmp_path / "a.onnx") == hashlib.sha256(b"edge").hexdigest()


def test_the_hash_of_a_folder_changes_with_a_content_and_with_a_name_only(tmp_path: Path) -> None:
    folder = make_tfjs(tmp_path / "one")
    first = sha256_of(folder)
    assert sha256_of(make_tfjs(tmp_path / "two")) == first
    (folder / "group1-shard1of1.bin").write_bytes(b"\1" * 40)
    changed = sha256_of(folder)
    (folder / "group1-shard1of1.bin").rename(folder / "group1-shard1of2.bin")
    assert len({first, changed, sha256_of(folder)}) == 3


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path: Path) -> None:
    folder = make_tfjs(tmp_path / "web")
    assert size_of(folder) == 42
    assert size_of(folder / "model.json") == 2


def test_hashing_a_missing_file_is_an_error_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"none\.onnx cannot be read"):
        sha256_of(tmp_path / "none.onnx")
