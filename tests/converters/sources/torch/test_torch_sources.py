"""PyTorch modules as sources: taken over as they are, or refused in a sentence."""

import json
import re
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
import torch_nets
from safetensors.torch import save_file

from edgekit.bundle.bundle import load_bundle
from edgekit_converters.sources import SourceOptions, load_source
from edgekit_runtimes.errors import SourceError, UsageError

FACTORY = "torch_nets:{}"
# Relative to the largest output.
CLOSE = 1e-5


def shapes_of(name):
    return {
        key: tuple(map(int, text.partition(":")[0].split(",")))
        for key, text in torch_nets.SHAPES[name].items()
    }


def options(name, **more):
    dtypes = {k: t.partition(":")[2] for k, t in torch_nets.SHAPES[name].items() if ":" in t}
    return SourceOptions(shapes_of(name), dtypes=dtypes, **more)


def sample(source, batch=3):
    generator = np.random.default_rng(2)
    return {
        spec.name: generator.integers(0, 50, (batch, *spec.shape[1:])).astype(spec.dtype)
        if spec.dtype == "int64"
        else generator.standard_normal((batch, *spec.shape[1:])).astype(spec.dtype)
        for spec in source.graph.input_specs
    }


def check(source, batch=3):
    """Assert that the graph answers as PyTorch does, for several samples at once."""
    x = sample(source, batch)
    wanted, found = source.run(x), source.graph.run(x)
    assert list(found) == list(wanted)
    for name, array in wanted.items():
        np.testing.assert_allclose(found[name], array, atol=CLOSE * np.abs(array).max(), rtol=0)


@pytest.mark.parametrize("name", list(torch_nets.SHAPES))
def test_a_module_is_taken_over_as_it_is_with_a_free_batch(name):
    source = load_source(Path(FACTORY.format(name)), options(name))
    assert {spec.shape[0] for spec in source.graph.input_specs} == {None}
    check(source)


def test_outputs_are_named_as_the_keys_of_a_dict_and_images_are_channels_last():
    source = load_source(Path(FACTORY.format("two_inputs")), options("two_inputs"))
    assert [spec.name for spec in source.graph.output_specs] == ["score", "map"]
    assert source.axes == {"image": (0, 3, 1, 2), "map": (0, 3, 1, 2)}
    kept = load_source(Path(FACTORY.format("two_inputs")), options("two_inputs", layout="nchw"))
    assert kept.axes == {}
    assert kept.graph.input_specs[0].shape == (None, 3, 8, 8)
    check(kept)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Other weights of mobilenet, its .pt2, and files that are refused."""
    folder = tmp_path_factory.mktemp("torch")
    module = torch_nets.mobilenet().eval()
    example = (torch.zeros(1, 3, 32, 32),)
    torch.export.save(torch.export.export(module, example), folder / "net.pt2")
    torch.save(module, folder / "whole.pt")
    torch.jit.save(torch.jit.trace(module, example), folder / "script.pt")
    with torch.no_grad():
        module.last.weight.mul_(3)
    torch.save(module.state_dict(), folder / "weights.pt")
    torch.save({"model_state_dict": module.state_dict(), "epoch": 3}, folder / "checkpoint.pt")
    save_file(module.state_dict(), folder / "weights.safetensors")
    return folder


@pytest.mark.parametrize("file", ["weights.pt", "checkpoint.pt", "weights.safetensors"])
def test_weights_come_from_a_file_of_their_own(folder, file):
    from edgekit_converters.sources.torch.original import open_original

    path = Path(FACTORY.format("mobilenet"))
    x = {"x": np.ones((1, 3, 32, 32), np.float32)}
    plain = open_original(path, options("mobilenet"))
    loaded = open_original(path, options("mobilenet", weights=folder / file))
    bias = torch_nets.mobilenet().last.bias.detach().numpy()
    difference = loaded.run(x)["output"] - bias - 3 * (plain.run(x)["output"] - bias)
    assert np.abs(difference).max() < 1e-5


def test_a_pt2_file_needs_no_shape_and_its_batch_is_freed(folder):
    before = (folder / "net.pt2").read_bytes()
    source = load_source(folder / "net.pt2")
    assert source.graph.input_specs[0].shape == (None, 32, 32, 3)
    # The program itself takes one sample, as it was exported.
    check(source, batch=1)
    assert (folder / "net.pt2").read_bytes() == before


# --- The command line ---------------------------------------------------------------------------


@pytest.fixture
def in_tests(monkeypatch):
    """Let the user's module be found."""
    monkeypatch.syspath_prepend(Path(torch_nets.__file__).parent)


def test_convert_and_bench_of_a_module(cli, in_tests, tmp_path):
    answer = cli(
        "convert",
        FACTORY.format("mobilenet"),
        "--input-shape",
        "x=1,3,32,32",
        "--recipe",
        "fp32",
        "-o",
        "net.edgekit",
    )
    assert answer.exit_code == 0
    bundle = load_bundle(tmp_path / "net.edgekit")
    assert {row.id: row.status for row in bundle.artifacts} == {
        f"{name}/fp32": "ok" for name in ("tflite", "tfjs", "onnx")
    }
    assert all(row.fidelity.sqnr_db > 100 for row in bundle.artifacts)
    by_format = {row.format: row.engine_options for row in bundle.artifacts}
    assert by_format["onnx"]["axes"] == {"x": [0, 3, 1, 2]}
    assert "axes" not in by_format["tflite"]
    model = json.loads((tmp_path / "net.edgekit/tfjs/fp32/model.json").read_text())
    ops = [node["op"] for node in model["modelTopology"]["node"]]
    assert ops.count("_FusedConv2D") == 7
    assert ops.count("FusedDepthwiseConv2dNative") == 3
    assert "Transpose" not in ops

    # A worker is another process: it finds the module in the working folder.
    shutil.copy(torch_nets.__file__, tmp_path)
    words = ("--original", FACTORY.format("mobilenet"), "--glance", "-o", "r.json")
    assert cli("bench", "net.edgekit", *words).exit_code == 0
    rows = {row["id"]: row for row in json.loads((tmp_path / "r.json").read_text())["rows"]}
    assert rows["original"]["engine"] == "torch"
    assert rows["onnx/fp32"]["ratio_to_original"]["value"] > 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("torch_nets:deciding", "--input-shape", "x=1,4"),
            r"torch_nets:deciding cannot be exported by torch.export: forward\(\) decides by the "
            r"values of a tensor at torch_nets.py:\d+ \(if x.sum\(\) > 0:\). Use torch.where.",
        ),
        (
            ("torch_nets:counting", "--input-shape", "x=1,4"),
            r".*forward\(\) writes the buffer 'seen', and artifacts keep nothing from one run to "
            r"the next. Make it an input and an output of forward\(\).",
        ),
        (
            ("torch_nets:no_module", "--input-shape", "x=1,4"),
            "torch_nets:no_module returned a dict, and a torch.nn.Module is wanted. .*",
        ),
        (
            ("torch_nets:failing", "--input-shape", "x=1,4"),
            "torch_nets:failing failed: FileNotFoundError: no such weights: w.pt. It is called "
            "without arguments.",
        ),
        (
            ("torch_nets:vit",),
            "The shapes of image are not known. Say them, as in: --input-shape image=1,3,224,224. "
            "Integers are written so: ids=1,16:int64.",
        ),
        (
            ("torch_nets:vit", "--input-shape", "x=1,3,16,16"),
            r"--input-shape names 'x', and forward\(\) of torch_nets:vit takes image.",
        ),
        (
            ("torch_nets:vit", "--input-shape", "image=1,3,16,16:float33"),
            "--input-shape image=…:float33: there is no dtype float33. Try int64.",
        ),
        (("torch_nets:none",), "torch_nets:none: there is no function none in torch_nets."),
        (
            ("torch_nets:vit", "--input-shape", "image=1,3,16,16", "--weights", "none.pt"),
            r"No such file: none.pt \(--weights\)",
        ),
    ],
)
def test_what_cannot_be_taken_over_is_refused_in_a_sentence(refused, in_tests, words, message):
    said, code = refused("convert", *words)
    assert re.fullmatch(message, said)
    assert code in (2, 3)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("whole.pt", "is a pickle of Python objects, which would run code. Write a .pt2 where"),
        ("script.pt", "is TorchScript, which torch.export does not read. Write a .pt2 where"),
        ("weights.pt", "holds weights only: name the class that they belong to: edgekit convert"),
        ("weights.safetensors", "holds weights only: name the class that they belong to: edgekit"),
    ],
)
def test_files_that_are_no_models_say_what_to_bring(folder, file, message):
    with pytest.raises(SourceError) as caught:
        load_source(folder / file)
    assert str(caught.value).startswith(f"{folder / file} {message}")


def test_weights_of_another_class_are_named(folder, tmp_path):
    torch.save({"other": torch.zeros(1)}, tmp_path / "w.pt")
    with pytest.raises(SourceError, match=r"lack first\.0\.weight, .* and have other, which the"):
        load_source(
            Path(FACTORY.format("mobilenet")), options("mobilenet", weights=tmp_path / "w.pt")
        )
    with pytest.raises(SourceError, match=r"whole\.pt holds more than weights, or is damaged"):
        load_source(
            Path(FACTORY.format("mobilenet")), options("mobilenet", weights=folder / "whole.pt")
        )


# --- Files that would run code ------------------------------------------------------------------


class _Writes:
    """What pickle makes a call of."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


def rewritten(source, target, change):
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def in_sample_inputs(name, content, payload):
    return payload if name.endswith("sample_inputs/model.pt") else content


def in_weights(name, content, payload):
    if name.endswith("model_weights_config.json"):
        return content.replace(b'"use_pickle": false', b'"use_pickle": true')
    return payload if name.endswith("weights/weight_0") else content


@pytest.mark.parametrize("place", [in_sample_inputs, in_weights])
def test_a_file_that_would_run_code_does_not(folder, tmp_path, place):
    torch.save(_Writes(tmp_path / "ran"), tmp_path / "payload.pt")
    payload = (tmp_path / "payload.pt").read_bytes()
    evil = rewritten(folder / "net.pt2", tmp_path / "evil.pt2", lambda n, c: place(n, c, payload))
    with pytest.raises(SourceError, match=r"evil\.pt2 could not be read as a \.pt2 file: "):
        load_source(evil)
    assert not (tmp_path / "ran").exists()


def test_a_file_that_declares_far_more_than_it_has_is_not_unpacked(folder, tmp_path):
    bomb = tmp_path / "bomb.pt2"
    with (
        zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("x", "w") as member,
    ):
        for _ in range(200):
            member.write(bytes(1_000_000))
    with pytest.raises(SourceError, match=r"declares 0\.2 GB: it is not unpacked"):
        load_source(bomb)


def test_options_of_pytorch_are_refused_for_others(tmp_path, refused):
    (tmp_path / "net.keras").touch()
    said, code = refused("convert", "net.keras", "--weights", "w.pt")
    assert (said, code) == (
        "--weights is for PyTorch modules, and net.keras is not one. Leave it out.",
        2,
    )


def test_a_word_that_names_nothing_is_a_usage_error():
    with pytest.raises(UsageError, match="nowhere could not be imported"):
        load_source(Path("nowhere:make"), SourceOptions({"x": (1, 2)}))
