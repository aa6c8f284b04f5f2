"""Engines and devices of other distributions, good and broken."""

from __future__ import annotations

from pathlib import Path

import pytest
from plugins import installed, write_distribution

from edgekit_runtimes.devices import device_kinds, known_devices, open_device
from edgekit_runtimes.engines.registry import engine_words, engines_of
from edgekit_runtimes.errors import UsageError

ENGINE = """
NAME, PACKAGE, IMPORT_NAME, FORMAT = "mine", "numpy", "numpy", "tflite"
def version(): return "1"
def load(path, options): raise NotImplementedError
"""
DEVICE = """
WORD, HELP = "mine", "mine:host for nothing"
def open_device(spec, options): raise NotImplementedError
def known_devices(): return []
"""


def distribution(folder: Path, group: str, code: str, name: str = "mine") -> Path:
    """Write a distribution whose one module is registered in a group."""
    module = f"module_{name}".replace("-", "_")
    write_distribution(folder, f"dist-{name}", {group: {name: module}})
    (folder / f"{module}.py").write_text(code)
    return folder


def test_an_engine_of_another_distribution_comes_after_ours(tmp_path: Path) -> None:
    with installed(distribution(tmp_path, "edgekit.engines", ENGINE)):
        words = [engine.word for engine in engines_of("tflite")]
        assert words == ["litert", "tflite-runtime", "mine"]
        assert "mine" in engine_words()
        with open_device("host") as host:
            assert host.engine_for("tflite").word == "litert"
            assert host.engines_for("tflite")[-1].module == "module_mine"
    assert "mine" not in engine_words()


def test_a_device_of_another_distribution_comes_after_ours(tmp_path: Path) -> None:
    with installed(distribution(tmp_path, "edgekit.devices", DEVICE)):
        assert [*device_kinds()] == ["host", "node", "board", "ssh", "browser", "mine"]
    with pytest.raises(UsageError, match="Unknown device 'mine'"):
        open_device("mine")


@pytest.mark.parametrize(
    ("group", "code", "name", "fault"),
    [
        ("edgekit.engines", "import no_such_module", "mine", "No module named 'no_such_module'"),
        ("edgekit.engines", "raise SystemExit(3)", "mine", "SystemExit: 3"),
        ("edgekit.engines", ENGINE, "litert", "edgekit has an engine of this name"),
        ("edgekit.engines", ENGINE, "ort-web", "edgekit has an engine of this name"),
        ("edgekit.engines", ENGINE, "other", "its NAME is 'mine'"),
        ("edgekit.engines", ENGINE.replace("FORMAT", "FORM"), "mine", "it has no string FORMAT"),
        ("edgekit.engines", ENGINE.replace("load", "open"), "mine", "it has no function load"),
        (
            "edgekit.engines",
            ENGINE.replace("tflite", "gguf"),
            "mine",
            "its FORMAT 'gguf' is not one of tflite, tfjs, onnx",
        ),
        ("edgekit.devices", DEVICE, "host", "edgekit has a device of this name"),
        ("edgekit.devices", DEVICE, "other", "its WORD is 'mine'"),
        ("edgekit.devices", DEVICE.replace("HELP", "X"), "mine", "it has no string HELP"),
        ("edgekit.devices", "syntax error", "mine", "SyntaxError: invalid syntax"),
    ],
)
def test_a_broken_plug_in_is_one_warning_that_names_it(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    group: str,
    code: str,
    name: str,
    fault: str,
) -> None:
    with installed(distribution(tmp_path, group, code, name)):
        for _ in range(2):
            assert [*device_kinds()] == ["host", "node", "board", "ssh", "browser"]
            assert [engine.word for engine in engines_of("onnx")] == ["onnxruntime"]
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"Warning: the plug-in '{name}' ({group}) is left out: ")
    assert fault in line


def test_an_engine_that_is_not_a_module_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_distribution(tmp_path, "object", {"edgekit.engines": {"mine": "pathlib:Path"}})
    with installed(tmp_path):
        assert [engine.word for engine in engines_of("onnx")] == ["onnxruntime"]
    assert "'mine' (edgekit.engines) is left out: it is not a module" in capsys.readouterr().err


def test_of_two_plug_ins_with_one_name_the_second_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = distribution(tmp_path / "first", "edgekit.engines", ENGINE)
    second = write_distribution(
        tmp_path / "second", "again", {"edgekit.engines": {"mine": "module_mine"}}
    )
    with installed(first, second):
        assert [engine.word for engine in engines_of("tflite")][2:] == ["mine"]
    (line,) = capsys.readouterr().err.splitlines()
    assert "'mine' (edgekit.engines) is left out: another distribution has" in line


def test_a_device_that_cannot_say_what_there_is_does_not_stop_the_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = DEVICE.replace("return []", "return [1 / 0]")
    with installed(distribution(tmp_path, "edgekit.devices", code)):
        assert known_devices()[0].spec == "host"
    assert "'mine' (edgekit.devices) is left out: ZeroDivisionError" in capsys.readouterr().err
