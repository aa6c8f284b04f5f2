"""`convert --explain`, and what shows it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from results_by_hand import row

from edgekit.bundle.bundle import load_bundle
from edgekit.cli import run_command_line
from edgekit.convert.explaining import flips
from edgekit.report.html import damage as picture
from edgekit.results.damage import Damage, Flip, LayerDamage


@pytest.fixture(scope="module")
def explained(bundles):
    return bundles("conv_net", "--recipe", "int8", "--to", "tflite,onnx", "--explain")


def test_each_layer_is_listed_with_what_it_loses_alone_the_worst_first(explained):
    for record in load_bundle(explained).artifacts:
        assert record.damage is not None, record.id
        levels = [float(layer.sqnr_db) for layer in record.damage.layers]
        assert len(levels) >= 3
        assert levels == sorted(levels)
        assert all(level > record.fidelity.sqnr_db - 3 for level in levels)
        costed = [layer for layer in record.damage.layers if layer.float_time is not None]
        assert all(not layer.in_float and layer.float_time > 0 for layer in costed)


def test_inspect_shows_the_damage_and_refuses_where_there_is_none(explained, bundles, capsys):
    assert run_command_line(["inspect", str(explained), "--damage"]) == 0
    shown = capsys.readouterr().out
    assert "tflite/int8: the outputs' SQNR where one layer alone is quantized" in shown
    assert "golden samples" in shown
    assert run_command_line(["inspect", str(explained), "--json"]) == 0
    whole = json.loads(capsys.readouterr().out)
    assert whole["artifacts"][0]["damage"]["layers"][0]["kind"]
    plain = bundles("conv_net", "--recipe", "int8", "--to", "tflite")
    assert run_command_line(["inspect", str(plain), "--damage"]) == 2
    assert "Convert again with --explain" in capsys.readouterr().err


def test_a_sample_is_flipped_where_another_class_is_first():
    expected = {"y": np.array([[0.1, 0.9], [0.8, 0.2]], np.float32), "map": np.ones((2, 3, 3))}
    found = {"y": np.array([[0.6, 0.4], [0.7, 0.3]], np.float32), "map": np.zeros((2, 3, 3))}
    assert list(flips(expected, found)) == [Flip(0, "y", 1, 0)]


def test_the_report_draws_a_bar_for_each_layer_and_escapes_names():
    layers = (
        LayerDamage("<b>", "CONV_2D", 25.0, False, 300, 1.1),
        LayerDamage("b", "ADD", float("inf"), True),
    )
    explained = row("tflite/int8", damage=Damage(layers, (Flip(3, "y", 1, 2),)))
    drawn = picture.pictures([explained])
    assert drawn.count("<rect") == 2
    assert "<b>" not in drawn
    assert "25.0 dB; +300 B, +10 % time" in drawn
    assert "1 golden sample changed class" in drawn
    assert picture.pictures([row("tflite/int8")]) == ""
