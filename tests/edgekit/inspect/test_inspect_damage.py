"""Files that are damaged in ways that an engine does not see: one line, with the file's name."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edgekit.forms import encode
from edgekit.inspect import read_graph
from edgekit_runtimes.errors import ArtifactError

Bundles = Callable[..., Path]
Refused = Callable[..., tuple[str, int]]

FAILED = 3
# Enough to meet lists of any claimed length and offsets that point anywhere.
DAMAGES = 200


@pytest.fixture(scope="module")
def bundle(bundles: Bundles) -> Path:
    return bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8")


@pytest.fixture
def folder(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle / "tfjs" / "fp32", tmp_path / "web"))


def change(folder: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "model.json"
    model = json.loads(path.read_text())
    edit(model)
    path.write_text(json.dumps(model))


def test_a_missing_weight_file_is_named(refused: Refused, folder: Path) -> None:
    (folder / "group1-shard1of1.bin").unlink()
    assert refused("inspect", "web") == ("web lacks the weight file group1-shard1of1.bin.", FAILED)


def test_a_weight_file_that_was_cut_off_is_told_with_its_size(
    refused: Refused, folder: Path
) -> None:
    shard = folder / "group1-shard1of1.bin"
    shard.write_bytes(shard.read_bytes()[:100])
    message, code = refused("inspect", "web")
    assert message.startswith("web: the weight files group1-shard1of1.bin hold 100 bytes and ")
    assert code == FAILED


def test_a_weight_file_outside_of_the_folder_is_refused(refused: Refused, folder: Path) -> None:
    (folder.parent / "secret.bin").write_bytes(b"secret")

    def point_outside(model: dict[str, Any]) -> None:
        model["weightsManifest"][0]["paths"] = ["../secret.bin"]

    change(folder, point_outside)
    assert refused("inspect", "web") == (
        "web/model.json names a weight file elsewhere: '../secret.bin'.",
        FAILED,
    )


@pytest.mark.parametrize("key", ["weightsManifest", "modelTopology"])
def test_a_model_json_without_its_parts_is_not_a_graph_model(
    refused: Refused, folder: Path, key: str
) -> None:
    change(folder, lambda model: model.pop(key))
    assert refused("inspect", "web") == (
        f"web/model.json is not a TF.js graph model (KeyError: '{key}').",
        FAILED,
    )


def test_a_graph_that_runs_in_a_circle_is_not_a_graph_model(refused: Refused, folder: Path) -> None:
    def close_the_circle(model: dict[str, Any]) -> None:
        nodes = [node for node in model["modelTopology"]["node"] if "MatMul" in node["op"]]
        nodes[0]["input"][0] = nodes[-1]["name"]

    change(folder, close_the_circle)
    message, code = refused("inspect", "web")
    assert message.startswith("web/model.json is not a TF.js graph model (CycleError: ")
    assert code == FAILED


@pytest.mark.parametrize("form", ["tflite", "onnx", "tfjs"])
def test_bytes_turned_anywhere_are_read_or_refused_in_one_line(
    bundle: Path, tmp_path: Path, form: str
) -> None:
    generator = random.Random(5)
    source = bundle / "tfjs" / "fp32" if form == "tfjs" else bundle / form / f"int8.{form}"
    path = tmp_path / source.name
    shutil.copytree(source, path) if source.is_dir() else shutil.copy(source, path)
    file = path / "model.json" if form == "tfjs" else path
    whole = file.read_bytes()
    refusals = []
    for _ in range(DAMAGES):
        content = bytearray(whole)
        for _ in range(generator.choice((1, 3, 30))):
            content[generator.randrange(len(content))] = generator.choice((0, 127, 128, 255))
        file.write_bytes(content)
        try:
            encode(read_graph(path, form).to_json())
        except ArtifactError as error:
            refusals.append(str(error))
    assert refusals
    assert [text for text in refusals if str(path) not in text or "\n" in text] == []


def test_what_is_not_a_tflite_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "random.tflite"
    path.write_bytes(random.Random(1).randbytes(4000))
    with pytest.raises(ArtifactError, match="does not begin as a TFLite file does"):
        read_graph(path, "tflite")


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    for form in ("tflite", "onnx", "tfjs"):
        with pytest.raises(ArtifactError, match="nowhere"):
            read_graph(tmp_path / "nowhere", form)


def test_a_model_json_that_nests_too_deeply_is_not_a_graph_model(
    refused: Refused, folder: Path
) -> None:
    (folder / "model.json").write_text("[" * 100_000)
    message, code = refused("inspect", "web")
    assert message.startswith("web/model.json is not a TF.js graph model (RecursionError: ")
    assert code == FAILED
