"""Tables in 8 bits: rows of unlike sizes keep a scale each, as TF.js itself reads them."""

import json

import keras
import numpy as np
import pytest
from models import freeze_model
from tfjs_reader import load
from tfjs_tools import run_in_node

from edgekit_converters.tfjs.write import prepare, write

ROWS = 500


@pytest.fixture(scope="module")
def graph():
    """Return a graph of three lookups: rows of unlike sizes, columns of such, rows of one size."""
    generator = np.random.default_rng(0)
    sizes = np.logspace(-2, 1, ROWS)[:, None]
    tables = {
        "unlike": (generator.standard_normal((ROWS, 32)) * sizes, 0),
        "columns": ((generator.standard_normal((ROWS, 24)) * sizes).T, 1),
        "alike": (generator.uniform(-1, 1, (ROWS, 32)), 0),
    }
    places = keras.Input((4,), name="places", dtype="int32")
    outputs = {
        name: keras.layers.Identity(name=name)(
            keras.ops.take(table.astype(np.float32), places, axis=axis)
        )
        for name, (table, axis) in tables.items()
    }
    return freeze_model(keras.Model(places, outputs))


def test_rows_of_unlike_sizes_keep_their_own_scale(graph, tmp_path):
    prepared = prepare(graph)
    write(prepared, "int8-weights", tmp_path / "model")
    inputs = {"places": np.array([[0, 100, 300, 499]], np.int32)}
    (tmp_path / "work").mkdir()
    names = [spec.name for spec in graph.output_specs]
    (answers,) = run_in_node(tmp_path / "work", [(tmp_path / "model", inputs, names)])
    python, expected = load(tmp_path / "model")(inputs), graph.run(inputs)
    for name, row_axis in (("unlike", 1), ("columns", 2), ("alike", 1)):
        np.testing.assert_allclose(answers[name], python[name], rtol=1e-6)
        right = np.moveaxis(expected[name], row_axis, 0).reshape(4, -1)
        rows = np.moveaxis(answers[name], row_axis, 0).reshape(4, -1)
        assert (np.abs(rows - right).max(axis=1) <= np.abs(right).max(axis=1) / 120).all()


def test_a_table_of_rows_of_one_size_is_read_as_before(graph, tmp_path):
    write(prepare(graph), "int8-weights", tmp_path / "model")
    model = json.loads((tmp_path / "model" / "model.json").read_text())
    nodes = [node["op"] for node in model["modelTopology"]["node"]]
    assert nodes.count("GatherV2") == 5
    assert nodes.count("Mul") == 2
    size = sum(path.stat().st_size for path in (tmp_path / "model").glob("*.bin"))
    assert size <= 0.275 * 4 * ROWS * (32 + 24 + 32)
