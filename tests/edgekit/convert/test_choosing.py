"""Which form of a graph an artifact is made from, by what the artifacts of all forms measure."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from norm_nets import dead_channel_net, images

import edgekit
from edgekit.bundle.bundle import Bundle

RECIPES = ("int8-dynamic", "int8")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Bundle]:
    folder = tmp_path_factory.mktemp("choosing")
    dead_channel_net().save(folder / "net.keras")
    return {
        effort: edgekit.convert(
            folder / "net.keras",
            folder / f"{effort}.edgekit",
            to=["tflite"],
            recipe=RECIPES,
            calibration={"x": images(160)},
            effort=effort,
        )
        for effort in ("low", "default")
    }


def levels(bundle: Bundle) -> dict[str, float]:
    return {
        row.id: float(row.fidelity.sqnr_db) for row in bundle.artifacts if row.fidelity is not None
    }


def test_what_is_chosen_is_better_than_what_is_made_without_trying(bundles: Any) -> None:
    low, default = levels(bundles["low"]), levels(bundles["default"])
    assert default["tflite/int8"] > low["tflite/int8"] + 1
    assert all(default[name] > low[name] - 0.5 for name in low)


def test_a_note_says_what_was_done_and_what_it_gained(bundles: Any) -> None:
    notes = {
        effort: [
            note for row in bundle.artifacts for note in row.notes if "plain_db" in note.figures
        ]
        for effort, bundle in bundles.items()
    }
    assert notes["low"] == []
    assert "weights rounded by second order" in notes["default"][0].text
    for note in notes["default"]:
        assert note.figures["chosen_db"] > note.figures["plain_db"]


def test_a_conversion_is_the_same_each_time(bundles: Any, tmp_path: Path) -> None:
    again = edgekit.convert(
        bundles["default"].folder.parent / "net.keras",
        tmp_path / "again.edgekit",
        to=["tflite"],
        recipe=["int8"],
        calibration={"x": images(160)},
    )
    (one,) = (row for row in bundles["default"].artifacts if row.id == "tflite/int8")
    assert again.artifacts[0].sha256 == one.sha256
