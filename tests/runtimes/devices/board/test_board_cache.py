"""Where the userland is kept, and how a broken one is found out."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from edgekit_runtimes.devices.board import cache
from edgekit_runtimes.devices.board.cache import Userland, find_userland, store, wanted_versions


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "edgekit" / "boards"


@pytest.fixture
def userland(folder) -> Userland:
    """A whole userland, of two small files."""
    target = folder / "userland"
    target.mkdir(parents=True)
    for name in (cache.KERNEL, cache.USERLAND):
        (target / name).write_bytes(name.encode() * 1000)
    files = {name: store(target / name) for name in (cache.KERNEL, cache.USERLAND)}
    found = Userland(target, "3.11", {"libc6": "2.36", **wanted_versions()}, files)
    found.write_manifest()
    return found


def change_manifest(userland, **values):
    path = userland.folder / cache.MANIFEST
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_boards_are_kept_in_the_users_cache_folder(folder, monkeypatch, tmp_path):
    assert cache.cache_folder() == folder
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert cache.cache_folder() == tmp_path / "home" / ".cache" / "edgekit" / "boards"


def test_a_whole_userland_is_found_with_its_size(userland):
    state = find_userland()
    assert state.userland == userland
    assert state.userland.bytes == sum(
        file.stat().st_size for file in userland.folder.iterdir() if file.name != cache.MANIFEST
    )


def test_without_a_userland_nothing_is_built(folder):
    assert find_userland().reason == "not built"


@pytest.mark.parametrize("damage", ["truncated", "one byte other", "missing"])
def test_a_damaged_file_is_named(userland, damage):
    path = userland.folder / cache.USERLAND
    content = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(content[:-1] + (b"" if damage == "truncated" else b"?"))
    state = find_userland()
    assert state.userland is None
    assert state.reason == f"broken: {path} is missing or damaged"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"recipe": 1, "files": {"vmlinuz": 3}}'])
def test_a_damaged_manifest_is_named(userland, text):
    path = userland.folder / cache.MANIFEST
    path.write_text(text)
    assert find_userland().reason == f"broken: {path} is missing or damaged"


def test_a_userland_of_an_older_recipe_is_not_used(userland):
    change_manifest(userland, recipe=0)
    assert find_userland().reason == "built by another version of edgekit"


def test_a_userland_with_another_engine_than_the_host_is_not_used(userland):
    change_manifest(userland, packages={**userland.packages, "ai-edge-litert": "1.0.0"})
    host = wanted_versions()["ai-edge-litert"]
    assert find_userland().reason == f"built with ai-edge-litert 1.0.0, and this host has {host}"


def test_cleaning_removes_everything_and_says_how_much(userland, folder):
    (folder / "downloads").mkdir()
    (folder / "downloads" / "half.deb").write_bytes(b"x" * 500)
    manifest = (userland.folder / cache.MANIFEST).stat().st_size
    assert cache.clean() == userland.bytes + manifest + 500
    assert find_userland().reason == "not built"
    assert cache.clean() == 0


def test_a_second_process_waits_for_the_lock_and_gets_it_when_the_first_is_killed():
    code = """
import time
from edgekit_runtimes.devices.board.cache import locked
with locked(lambda: None):
    print("mine", flush=True)
    time.sleep(3600)
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout.readline() == "mine\n"
        waited = []

        def wait():
            waited.append(True)
            holder.kill()

        with cache.locked(wait):
            assert waited == [True]
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
