"""`edgekit devices`: what can be used from here, and why the rest cannot."""

from __future__ import annotations

import json
from importlib import metadata

import pytest
from ssh_server import write_script

from edgekit_runtimes.devices.board import cache
from edgekit_runtimes.devices.board.cache import Userland, store, wanted_versions
from edgekit_runtimes.devices.browser import device as browser_device

BROWSER = "browser[:webgl|wasm|webgpu|cpu]"


@pytest.fixture
def devices(cli, tmp_path, monkeypatch):
    """Run `edgekit devices` where PATH has these programs only and no board is built."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*programs):
        for program in programs:
            write_script(tmp_path / "bin" / program, "exit 0")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"))
        answer = cli("devices", "--json")
        assert answer.exit_code == 0
        return {device["spec"]: device for device in json.loads(answer.out)}

    return run


def test_the_host_names_its_engines_and_those_that_it_lacks(devices):
    host = devices()["host"]
    version = metadata.version("ai-edge-litert")
    assert host["usable"]
    assert host["detail"].startswith(f"litert {version}; ")
    assert host["detail"].endswith("not installed: tflite-runtime")


def test_what_a_bare_machine_lacks_comes_with_the_line_that_installs_it(devices):
    found = devices()
    unusable = {name: device["detail"] for name, device in found.items() if not device["usable"]}
    # Node comes with the packages: pip has installed one.
    assert found.keys() - unusable.keys() == {"host", "node[:wasm|cpu]"}
    for board in ("pi3", "pi4", "pi5"):
        assert unusable[f"board:{board}"].endswith("qemu-system-arm")
    ssh = unusable["ssh://[user@]host[:port][/path/to/python]"]
    assert ssh == "ssh was not found. Install it with: apt-get install openssh-client"


def test_a_board_that_is_not_built_says_how_to_build_it(devices):
    board = devices("qemu-system-aarch64")["board:pi5"]
    assert not board["usable"]
    assert board["detail"] == "not built. Build all boards with: edgekit board build pi5"


def test_a_built_board_can_be_used(devices, tmp_path):
    folder = tmp_path / "cache" / "edgekit" / "boards" / "userland"
    folder.mkdir(parents=True)
    (folder / cache.KERNEL).write_bytes(b"kernel")
    files = {cache.KERNEL: store(folder / cache.KERNEL)}
    Userland(folder, "3.11", wanted_versions(), files).write_manifest()
    board = devices("qemu-system-aarch64")["board:pi5"]
    assert board["usable"]
    assert board["detail"].startswith("Raspberry Pi 5 (Cortex-A76), emulated")


def test_ssh_can_be_used_where_there_is_a_client(devices):
    ssh = devices("ssh")["ssh://[user@]host[:port][/path/to/python]"]
    assert ssh["usable"]
    assert "Python 3.11 to 3.13" in ssh["detail"]


@pytest.fixture
def pages(tmp_path, monkeypatch):
    """Pages that are built: here only their presence counts."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "runner.html").touch()
    monkeypatch.setattr(browser_device, "PAGES", tmp_path / "pages")


def test_the_browser_to_start_is_named_and_so_are_the_others(devices, pages, tmp_path):
    browser = devices("chromium", "firefox-esr", "google-chrome")[BROWSER]
    folder = tmp_path / "bin"
    assert browser["usable"]
    assert browser["detail"] == (
        f"{folder}/chromium; also with --browser {folder}/google-chrome or "
        f"--browser {folder}/firefox-esr or --browser none"
    )


def test_without_a_chromium_browsers_cannot_be_used_as_they_are(devices, pages, tmp_path):
    browser = devices("firefox")[BROWSER]
    assert not browser["usable"]
    assert browser["detail"] == (
        "No Chromium was found. Install it with: apt-get install chromium, or measure in another "
        f"browser with --browser {tmp_path}/bin/firefox."
    )


def test_without_its_page_no_browser_can_be_used(devices, tmp_path, monkeypatch):
    monkeypatch.setattr(browser_device, "PAGES", tmp_path)
    browser = devices("chromium")[BROWSER]
    assert not browser["usable"]
    assert browser["detail"].endswith("build it with: make web")


def test_the_list_has_what_can_be_used_first(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    lines = cli("devices").out.splitlines()
    assert lines[0] == "Can be used"
    assert lines[1].split()[0] == "host"
    assert lines[lines.index("Cannot be used") + 1].startswith("  ")
