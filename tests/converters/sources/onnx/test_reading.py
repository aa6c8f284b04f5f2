"""ONNX files: nothing is read from outside their folder, and nothing that is not as it says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_by_hand import model, node, weights

from edgekit.cli import run_command_line
from edgekit_converters.sources import SourceOptions, load_source
from edgekit_converters.sources.onnx.read import read
from edgekit_runtimes.errors import SourceError


def dense() -> Any:
    return model([node("MatMul", "x w", "y")], {"x": ("n", 6)}, ["y"], {"w": weights(6, 4)})


def with_data(folder: Path, location: str = "w.bin", **told: int) -> Path:
    """Write a model whose weights are in another file, which is written only where it is w.bin."""
    made = dense()
    tensor = made.graph.initializer[0]
    folder.mkdir(exist_ok=True)
    (folder / "w.bin").write_bytes(tensor.raw_data)
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": location, **told}.items():
        entry = tensor.external_data.add()
        entry.key, entry.value = key, str(value)
    path = folder / "net.onnx"
    path.write_bytes(made.SerializeToString())
    return path


def test_data_beside_the_file_is_read(tmp_path: Path) -> None:
    source = load_source(with_data(tmp_path / "net"))
    x = np.eye(6, dtype=np.float32)
    found = source.run({"x": x})
    np.testing.assert_allclose(found["y"], weights(6, 4), atol=1e-6)
    np.testing.assert_allclose(source.graph.run({"x": x})["y"], found["y"], atol=1e-6)


@pytest.mark.parametrize("location", ["../w.bin", "/etc/hostname", "sub/../../w.bin", ""])
def test_data_outside_the_folder_is_refused(tmp_path: Path, location: str) -> None:
    (tmp_path / "w.bin").write_bytes(b"0" * 96)
    path = with_data(tmp_path / "net", location)
    with pytest.raises(SourceError, match="which is outside its folder"):
        read(path)


@pytest.mark.parametrize("is_folder", [False, True])
def test_data_behind_a_symbolic_link_is_refused(tmp_path: Path, is_folder: bool) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "data.bin").write_bytes(b"0" * 96)
    path = with_data(tmp_path / "net", "link/data.bin" if is_folder else "link")
    link = path.parent / "link"
    link.symlink_to(outside if is_folder else outside / "data.bin")
    with pytest.raises(SourceError, match="which is a symbolic link"):
        read(path)


def test_data_that_is_missing_or_too_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"keeps its weights in v\.bin, which is missing"):
        read(with_data(tmp_path / "net", "v.bin"))
    for told in ({"offset": 8}, {"length": 4}, {"offset": -4, "length": 96}):
        path = with_data(tmp_path / "net", "w.bin", **told)
        with pytest.raises(SourceError, match=r"goes beyond the end of w\.bin"):
            read(path)


def test_a_constant_of_another_size_than_its_shape_says_is_refused(tmp_path: Path) -> None:
    made = dense()
    made.graph.initializer[0].dims[0] = 1 << 40
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    with pytest.raises(SourceError, match=r"'w' has 96 bytes, and its shape \[1099511627776, 4\]"):
        read(path)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x08\x07"])
def test_what_is_no_onnx_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(content)
    with pytest.raises(SourceError, match=r"net\.onnx"):
        read(path)


def test_a_file_whose_opset_onnxruntime_does_not_know_is_refused(tmp_path: Path) -> None:
    made = dense()
    made.opset_import[0].version = onnx.defs.onnx_opset_version()
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    with pytest.raises(SourceError, match=r"onnxruntime .* does not read"):
        load_source(path)


def test_the_original_takes_and_gives_the_graphs_order_with_inputs_fixed(tmp_path: Path) -> None:
    made = model(
        [node("Conv", "x k", "a"), node("Mul", "a by", "y")],
        {"x": ("n", 3, 8, 8), "by": ()},
        ["y"],
        {"k": weights(4, 3, 1, 1)},
    )
    path = tmp_path / "net.onnx"
    onnx.save(made, path)
    before = path.read_bytes()
    source = load_source(path, SourceOptions({}, fixed={"by": 2}))
    x = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype(np.float32)
    found, graph = source.run({"x": x})["y"], source.graph.run({"x": x})["y"]
    assert found.shape == (2, 8, 8, 4)
    np.testing.assert_allclose(found, graph, atol=1e-5)
    assert source.axes == {"x": (0, 3, 1, 2), "y": (0, 3, 1, 2)}
    assert path.read_bytes() == before


def test_an_onnx_file_becomes_artifacts_of_all_formats(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = model(
        [
            node("Conv", "x:0 k", "a", strides=[2, 2], pads=[1, 1, 1, 1]),
            node("Relu", "a", "b"),
            node("GlobalAveragePool", "b", "c"),
            node("Flatten", "c", "d"),
            node("Mul", "d rate", "y/1:0"),
        ],
        {"x:0": ("n", 3, 16, 16), "rate": (1,)},
        ["y/1:0"],
        {"k": weights(4, 3, 3, 3)},
    )
    onnx.save(made, "net.onnx")
    words = ["convert", "net.onnx", "--recipe", "fp32", "--set", "rate=2", "--json"]
    assert run_command_line(words) == 0
    manifest = json.loads(capsys.readouterr().out)
    assert manifest["settings"]["fixed"] == {"rate": 2}
    for row in manifest["artifacts"]:
        assert row["status"] == "ok", row
        assert row["fidelity"]["outputs"]["y/1:0"]["sqnr_db"] in (None, "inf") or (
            row["fidelity"]["outputs"]["y/1:0"]["sqnr_db"] > 100
        )
    assert run_command_line([*words[:-2], "rate=3"]) == 2
    assert "another --set" in capsys.readouterr().err
    assert run_command_line(["convert", "net.onnx", "--set", "rate"]) == 2
    assert "--set rate is not NAME=VALUE" in capsys.readouterr().err


def test_constants_of_packed_integers_are_read(tmp_path: Path) -> None:
    made = dense()
    made.graph.initializer.append(
        helper.make_tensor("q", onnx.TensorProto.INT4, [3], np.array([1, 2, 3]))
    )
    path = tmp_path / "net.onnx"
    onnx.save(made, path)
    assert len(read(path).graph.initializer) == 2
