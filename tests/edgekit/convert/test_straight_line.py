"""The way of a model through `convert`: each room once, and a graph changed once per modifier."""

from __future__ import annotations

import cProfile
import pstats
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import edgekit
from edgekit.bundle.manifest import ArtifactRecord
from edgekit_converters.graph import modifiers

SavedModels = Callable[[str], Path]

ROOMS = {
    "source": "edgekit_converters/sources/__init__.py",
    "graph": "edgekit_converters/graph/modifiers/__init__.py",
    "format": "edgekit_converters/tfjs/write.py",
    "check": "edgekit/convert/check.py",
    "bundle": "edgekit/bundle/bundle.py",
}

# Counts how often it is applied; an odd number is too much for any model.
HALVE = """
from edgekit_converters.graph.modifiers import Modifier
from edgekit_runtimes.errors import NotAvailableError

APPLIED = []

def halve(graph, number):
    APPLIED.append(number)
    if number % 2:
        raise NotAvailableError(f"no layer can be halved {number} times")
    return graph.with_constants({name: 1 * array for name, array in graph.constants().items()})

MODIFIER = Modifier("halve", 5, halve, "half of everything", "halve less")
"""


@pytest.fixture
def halve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[list[int]]:
    """One more modifier, a module; return the numbers with which it is applied."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "halve.py").write_text(HALVE)
    monkeypatch.setattr(modifiers, "__path__", [*modifiers.__path__, str(tmp_path / "site")])
    modifiers.modifiers.cache_clear()
    name = f"{modifiers.__name__}.halve"
    assert "halve" in modifiers.modifiers()
    yield sys.modules[name].APPLIED
    modifiers.modifiers.cache_clear()
    del sys.modules[name]


def test_conversion_is_entered_once_and_every_room_is_visited(
    saved_models: SavedModels, tmp_path: Path
) -> None:
    with cProfile.Profile() as profile:
        words = {"to": "tfjs", "recipe": "fp32"}
        edgekit.convert(saved_models("dense_net"), tmp_path / "net.edgekit", **words)
    stats = pstats.Stats(profile).stats  # type: ignore[attr-defined]
    conversion = "edgekit/convert/conversion.py"
    entries = [
        (caller[0].rpartition("edgekit/")[2], function[2], calls[0])
        for function, (*_, callers) in stats.items()
        if function[0].endswith(conversion) and not function[2].startswith("<")
        for caller, calls in callers.items()
        if not caller[0].endswith(conversion)
    ]
    assert entries == [("api.py", "run_conversion", 1)]
    files = {function[0] for function in stats}
    assert all(any(file.endswith(room) for file in files) for room in ROOMS.values())


def test_a_graph_is_changed_once_for_all_recipes_with_the_same_modifiers(
    saved_models: SavedModels, tmp_path: Path, halve: list[int]
) -> None:
    recipes = "fp32,fp32+halve4,fp16+halve4,fp32+halve4+prune50,fp32+halve3,fp16+halve3"
    bundle = edgekit.convert(
        saved_models("dense_net"), tmp_path / "net.edgekit", to="tfjs", recipe=recipes
    )
    assert halve == [4, 4, 3]
    assert {row.recipe: row.status for row in bundle.artifacts} == {
        "fp32": "ok",
        "fp32+halve3": "not available",
        "fp16+halve3": "not available",
        "fp32+halve4": "ok",
        "fp16+halve4": "ok",
        "fp32+halve4+prune50": "ok",
    }
    assert bundle.artifacts[1].reason == "no layer can be halved 3 times"
    sizes = {row.recipe: row.wire.brotli for row in bundle.artifacts if row.wire}
    assert sizes["fp32+halve4+prune50"] < 0.7 * sizes["fp32+halve4"]


def test_each_artifact_asked_for_is_told_of_as_soon_as_it_is_known(
    saved_models: SavedModels, tmp_path: Path
) -> None:
    for _ in ("made", "found finished"):
        told: list[ArtifactRecord] = []
        edgekit.convert(
            saved_models("dense_net"),
            tmp_path / "net.edgekit",
            to="tfjs",
            recipe="fp32,int8-dynamic",
            on_artifact=told.append,
        )
        assert [(row.id, row.status) for row in told] == [
            ("tfjs/fp32", "ok"),
            ("tfjs/int8-dynamic", "not available"),
        ]
