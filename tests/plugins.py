"""Distributions for one test: what they register is found as if they had been installed."""

from __future__ import annotations

import contextlib
import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from conftest import ROOT

from edgekit_runtimes.devices import device_kinds
from edgekit_runtimes.engines.registry import registered_engines
from edgekit_runtimes.plugins import load_plugins

EXAMPLE = ROOT / "examples" / "plugin"

CACHES = (load_plugins, registered_engines, device_kinds)


def write_distribution(
    folder: Path, name: str, entry_points: Mapping[str, Mapping[str, str]]
) -> Path:
    """Write the metadata of a distribution: group -> name -> object; return the folder."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = []
    for group, objects in entry_points.items():
        lines += [f"[{group}]", *(f"{key} = {value}" for key, value in objects.items()), ""]
    (info / "entry_points.txt").write_text("\n".join(lines))
    return folder


@contextlib.contextmanager
def installed(*folders: Path) -> Iterator[None]:
    """Make this process and its workers find what is in the folders, and what it registers."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in folders:
            patch.syspath_prepend(folder)
        before = [path for path in [os.environ.get("PYTHONPATH")] if path]
        patch.setenv("PYTHONPATH", os.pathsep.join([*map(str, folders), *before]))
        for cache in CACHES:
            cache.cache_clear()
        modules = {*sys.modules}
        yield
    for cache in CACHES:
        cache.cache_clear()
    # The next test may have a module of the same name.
    for name in {*sys.modules} - modules:
        file = getattr(sys.modules[name], "__file__", None) or "/"
        if any(Path(file).is_relative_to(folder) for folder in folders):
            del sys.modules[name]


@contextlib.contextmanager
def example_installed(folder: Path) -> Iterator[None]:
    """Let this process and its workers find examples/plugin; `folder` gets its metadata."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    with installed(write_distribution(folder, "edgekit_example", project["entry-points"]), EXAMPLE):
        yield
