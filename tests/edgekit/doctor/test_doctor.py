"""`edgekit doctor`: each part is really tried, and what does not work comes with its remedy."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Answer

from edgekit.cli.printers.doctor import print_findings
from edgekit.doctor.examine import EXTRAS, Finding
from edgekit_runtimes.devices.browser import device

Cli = Callable[..., Answer]


def findings(answer: Answer) -> Mapping[tuple[str, str], dict[str, Any]]:
    """Return what a `doctor --json` found, by kind and name."""
    assert answer.exit_code == 0
    return {(entry["kind"], entry["name"]): entry for entry in json.loads(answer.out)}


def test_every_package_of_every_extra_is_tried() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = {
        name: {re.split(r"[<>=\[]", requirement)[0] for requirement in requirements} - {"edgekit"}
        for name, requirements in project["optional-dependencies"].items()
        if name != "all"
    }
    assert {name: set(packages) for name, packages in EXTRAS.items()} == extras


def test_what_is_installed_here_works_and_shows_its_version(cli: Cli) -> None:
    answer = cli("doctor")
    assert answer.exit_code == 0
    lines = {tuple(line.split()[:2]): line for line in answer.out.splitlines()}
    convert = lines["extra", "convert"]
    assert convert.split()[2] == "works"
    assert f"tensorflow {metadata.version('tensorflow')}, " in convert
    for engine, package in (("litert", "ai-edge-litert"), ("onnxruntime", "onnxruntime")):
        assert lines["engine", engine].split()[2:] == ["works", metadata.version(package)]
    # It has no wheel for a Python whose numpy is 2.
    assert lines["engine", "tflite-runtime"].split()[2:] == ["missing", "not", "installed"]
    assert "python3.11 -m venv old && old/bin/pip install tflite-runtime 'numpy<2'" in answer.out


@pytest.fixture
def strange_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine where packages are broken, some host tools too, and others are absent."""
    for package, content in {
        "tensorflow": "raise ImportError('libtensorflow.so: cannot open shared object file')",
        "ai_edge_litert": "import os; os.abort()",
    }.items():
        (tmp_path / "packages").mkdir(exist_ok=True)
        (tmp_path / "packages" / f"{package}.py").write_text(content)
    (tmp_path / "bin").mkdir()
    for tool, script in {
        "node": "echo v99.0.0",
        "chromium": "echo no display >&2; exit 1",
        "ssh": "echo OpenSSH_99 >&2",
    }.items():
        (tmp_path / "bin" / tool).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / "bin" / tool).chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def test_what_is_broken_is_told_apart_from_what_is_missing(cli: Cli, strange_machine: Path) -> None:
    found = findings(cli("doctor", "--json"))
    convert = found["extra", "convert"]
    assert convert["state"] == "broken"
    assert convert["detail"] == "ImportError: libtensorflow.so: cannot open shared object file"
    assert convert["install"] == "pip install --force-reinstall 'edgekit[convert]'"
    assert found["engine", "litert"] == {
        "kind": "engine",
        "name": "litert",
        "state": "broken",
        "detail": "the import died (exit status -6)",
        "install": "pip install --force-reinstall ai-edge-litert",
    }
    assert found["tool", "node"]["state"] == "works"
    assert found["tool", "node"]["detail"] == f"99.0.0 ({strange_machine}/bin/node)"
    assert found["tool", "node"]["install"] is None
    assert found["tool", "ssh"]["detail"] == "OpenSSH_99"
    assert found["tool", "chromium"]["state"] == "broken"
    assert found["tool", "chromium"]["detail"].startswith("does not start: ")
    qemu = found["tool", "qemu-system-aarch64"]
    assert (qemu["state"], qemu["install"]) == ("missing", "apt-get install qemu-system-arm")
    firefox = found["tool", "firefox"]
    assert (firefox["state"], firefox["install"]) == ("missing", "apt-get install firefox-esr")
    tools = [name for kind, name in found if kind == "tool"]
    assert tools == ["node", "qemu-system-aarch64", "ssh", "chromium", "firefox"]


def test_a_browser_is_found_under_any_of_its_names(cli: Cli, strange_machine: Path) -> None:
    for name in ("firefox-esr", "google-chrome"):
        path = strange_machine / "bin" / name
        path.write_text("#!/bin/sh\necho Browser 99\n")
        path.chmod(0o755)
    (strange_machine / "bin" / "chromium").unlink()
    found = findings(cli("doctor", "--json"))
    assert found["tool", "firefox"]["detail"] == "Browser 99"
    assert found["tool", "chromium"]["detail"] == "Browser 99"


def test_pages_that_are_not_built_come_with_the_line_that_builds_them(
    cli: Cli, strange_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "PAGES", strange_machine)
    pages = findings(cli("doctor", "--json"))["pages", "runner"]
    assert (pages["state"], pages["install"]) == ("missing", "make web")
    (strange_machine / "runner.html").touch()
    assert findings(cli("doctor", "--json"))["pages", "runner"]["state"] == "works"


def test_the_findings_read_as_one_line_each_with_the_remedy_below(
    capsys: pytest.CaptureFixture[str],
) -> None:
    from rich.console import Console

    print_findings(
        [
            Finding("tool", "node", "works", "v20"),
            Finding("extra", "browser", "missing", "not installed: x", "pip install 'a[b]'"),
        ],
        Console(width=200),
    )
    assert capsys.readouterr().out.splitlines() == [
        "tool    node     works    v20",
        "extra   browser  missing  not installed: x",
        f"{'':<26}pip install 'a[b]'",
    ]


def test_the_environment_is_left_as_it_was(cli: Cli, strange_machine: Path) -> None:
    before = dict(os.environ)
    cli("doctor", "--json")
    assert dict(os.environ) == before
