"""Words that edgekit does not know, through the command line: the nearest one, and exit code 2."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Refused = Callable[..., tuple[str, int]]
SavedModels = Callable[[str], Path]

WRONG_USE = 2

RECIPES = "fp32, fp16, int8-weights, int8-dynamic, int8, int16x8, int4-dynamic"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--recipe", "int9"),
            f"Unknown recipe 'int9'. Did you mean 'int8'? Known: {RECIPES}.",
        ),
        (
            ("--recipe", "fp32,int8-weigths"),
            f"Unknown recipe 'int8-weigths'. Did you mean 'int8-weights'? Known: {RECIPES}.",
        ),
        (("--recipe", "xyz"), f"Unknown recipe 'xyz'. Known: {RECIPES}."),
        (
            ("--recipe", "int8+prune100"),
            "Unknown recipe 'int8+prune100': after the '+' only prune1 to prune99 may follow, as "
            "in int8+prune50.",
        ),
        (("--recipe", ","), "No recipe given."),
        (
            ("--to", "tflight"),
            "Unknown format 'tflight'. Did you mean 'tflite'? Known: tflite, tfjs, onnx.",
        ),
        (
            ("--io", "int16"),
            "Invalid value for '--io': 'int16' is not one of 'float', 'int8'. See edgekit convert "
            "--help.",
        ),
        (
            ("--calibratoin", "x.npz"),
            "Unknown option '--calibratoin'. Did you mean '--calibration'? See edgekit convert "
            "--help.",
        ),
        (("--zzz",), "Unknown option '--zzz'. See edgekit convert --help."),
        (("more",), "Got unexpected extra argument (more). See edgekit convert --help."),
        (
            ("--scale", "big"),
            "Invalid value for '--scale': 'big' is not a valid float. See edgekit convert --help.",
        ),
        (
            ("--io", "int8"),
            "--io int8 is for TFLite artifacts of the recipe int8, and none are requested. Leave "
            "it out, or add --to tflite --recipe int8 --calibration DATA.",
        ),
    ],
)
def test_a_word_that_convert_does_not_know_is_refused(
    refused: Refused, saved_models: SavedModels, words: tuple[str, ...], message: str
) -> None:
    assert refused("convert", saved_models("dense_net"), *words) == (message, WRONG_USE)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("--verison",),
            "Unknown option '--verison'. Did you mean '--version'? See edgekit --help.",
        ),
        (("convert",), "Missing argument 'MODEL'. See edgekit convert --help."),
        (("run", "net.tflite"), "Missing option '--input'. See edgekit run --help."),
        (("bench", "nosuch.edgekit"), "No such bundle: nosuch.edgekit"),
        (("inspect", "nosuch"), "No such file or folder: nosuch"),
        (("run", "nosuch.onnx", "--input", "x.npz"), "nosuch.onnx: no such file or folder."),
    ],
)
def test_a_wrong_command_line_is_refused(
    refused: Refused, words: tuple[str, ...], message: str
) -> None:
    assert refused(*words) == (message, WRONG_USE)


def test_an_unknown_command_is_answered_with_the_nearest(refused: Refused) -> None:
    message, code = refused("convrt", "net.keras")
    assert message.startswith(
        "Unknown command 'convrt'. Did you mean 'convert'? Known: convert, tune, bench, report, "
    )
    assert code == WRONG_USE


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("hst", "Unknown device 'hst'. Did you mean 'host'? Known: host"),
        ("pi5", "Unknown device 'pi5'. Did you mean 'board:pi5'?"),
        ("pi.local", "Unknown device 'pi.local'. Did you mean 'ssh://pi.local'?"),
        ("host:", "Device 'host:' does not name a Python. Write host or host:/path/to/python."),
    ],
)
def test_an_unknown_device_is_answered_with_the_nearest(
    refused: Refused, bundles: Callable[..., Path], device: str, message: str
) -> None:
    bundle = bundles("dense_net", "--to", "tflite", "--recipe", "fp32")
    found, code = refused("bench", bundle, "--on", device)
    assert found.startswith(message)
    assert code == WRONG_USE


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        (["--recipe", "int8"], "--recipe int8 --calibration DATA.npz"),
        (
            ["--to", "tflite,onnx", "--recipe", "fp32,int16x8", "-o", "my bundle"],
            "--to tflite,onnx --recipe fp32,int16x8 -o 'my bundle' --calibration DATA.npz",
        ),
    ],
)
def test_a_static_recipe_without_data_is_refused_before_tensorflow_is_imported(
    saved_models: SavedModels, tmp_path: Path, words: list[str], remedy: str
) -> None:
    code = """
import sys
from edgekit.cli import run_command_line
exit_code = run_command_line(sys.argv[1:])
print(exit_code, *{name.split(".")[0] for name in sys.modules})
"""
    model = str(saved_models("dense_net"))
    answer = subprocess.run(
        [sys.executable, "-c", code, "convert", model, *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    recipe = words[words.index("--recipe") + 1].split(",")[-1]
    assert answer.stderr == (
        f"Error: {recipe} needs calibration data: samples that look like real inputs. "
        f"Type: edgekit convert {model} {remedy}\n"
    )
    exit_code, *modules = answer.stdout.split()
    assert exit_code == "2"
    assert "edgekit_converters" in modules
    assert not {"tensorflow", "keras", "onnx"} & set(modules)
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"cat\ndog\n",
            "--classes names 2 classes, and no output of MODEL has that many values: "
            "class: float32[?, 4].",
        ),
        (b"\n \n", "--classes names.txt holds no names: write one per line."),
        (b"\xff\xfe\x00", "--classes names.txt is not a text file: "),
        (None, "No such file: names.txt (--classes)"),
    ],
)
def test_class_names_that_do_not_fit_are_refused(
    refused: Refused,
    saved_models: SavedModels,
    tmp_path: Path,
    content: bytes | None,
    message: str,
) -> None:
    if content is not None:
        (tmp_path / "names.txt").write_bytes(content)
    model = saved_models("dense_net")
    found, code = refused("convert", model, "--classes", "names.txt")
    assert found.startswith(message.replace("MODEL", str(model)))
    assert code == WRONG_USE


def test_with_debug_the_traceback_is_shown(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "edgekit", "--debug", "convert", "nosuch.keras"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "Traceback (most recent call last)" in answer.stderr
    assert "No such file or folder: nosuch.keras" in answer.stderr
