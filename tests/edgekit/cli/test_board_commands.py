"""`edgekit board` and `bench --on board:…`: what they print and how they end."""

from __future__ import annotations

import json

import pytest

from edgekit_runtimes.devices.board import cache
from edgekit_runtimes.devices.board.cache import Userland, store, wanted_versions


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "edgekit" / "boards"


@pytest.fixture
def small_userland(empty_cache):
    folder = empty_cache / "userland"
    folder.mkdir(parents=True)
    (folder / cache.KERNEL).write_bytes(b"k" * 2_000_000)
    files = {cache.KERNEL: store(folder / cache.KERNEL)}
    Userland(folder, "3.11", wanted_versions(), files).write_manifest()
    return folder


def test_list_shows_three_boards_that_are_not_built_and_how_to_build_one(cli, empty_cache):
    answer = cli("board", "list")
    lines = answer.out.splitlines()
    assert answer.exit_code == 0
    assert lines[0] == "board:pi3  Raspberry Pi 3  Cortex-A53  not built"
    assert [line.split()[0] for line in lines[:3]] == ["board:pi3", "board:pi4", "board:pi5"]
    assert lines[3] == "Build one with: edgekit board build pi5"


def test_list_shows_what_is_built_and_where(cli, small_userland):
    answer = cli("board", "list")
    assert answer.out.splitlines()[2] == "board:pi5  Raspberry Pi 5  Cortex-A76  ready"
    assert answer.out.endswith(f"2 MB in {small_userland}\n")
    forms = json.loads(cli("board", "list", "--json").out)
    assert [form["ready"] for form in forms] == [True] * 3


def test_list_names_the_file_that_is_broken(cli, small_userland):
    (small_userland / cache.KERNEL).write_bytes(b"k")
    answer = cli("board", "list")
    assert f"broken: {small_userland / cache.KERNEL} is missing or damaged" in answer.out
    form = json.loads(cli("board", "list", "--json").out)[0]
    assert (form["ready"], form["reason"][:6]) == (False, "broken")


def test_clean_removes_what_is_built(cli, small_userland):
    answer = cli("board", "clean")
    assert answer.out == f"2 MB removed from {small_userland.parent}\n"
    assert not small_userland.exists()


@pytest.mark.parametrize(
    "words", [("board", "build", "pi6"), ("bench", "x.edgekit", "--on", "board:pi6")]
)
def test_an_unknown_board_is_wrong_use(cli, words, bundles):
    words = [
        bundles("dense_net", "--to", "onnx") if word == "x.edgekit" else word for word in words
    ]
    answer = cli(*words)
    assert answer.exit_code == 2
    assert "Unknown board 'pi6'. Did you mean 'pi5'?" in answer.err


def test_building_without_qemu_shows_the_line_that_installs_it(cli, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    answer = cli("board", "build", "pi5")
    assert answer.exit_code == 2
    assert "apt-get install --no-install-recommends qemu-system-arm" in answer.err
