"""Tables of Gather in ONNX artifacts: integers with a scale for each row, read as such."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from edgekit_converters.onnx import weights
from edgekit_converters.onnx.tables import store_tables

PLACES = np.array([[0, 5, 299]], np.int32)


def rows_of_unlike_sizes(*shape, axis=0, seed=0):
    """Return a table whose rows differ a thousandfold: one scale for all would lose most."""
    table = np.random.default_rng(seed).standard_normal(shape)
    sizes = np.logspace(-2, 1, shape[axis])
    return (table * np.expand_dims(sizes, [i for i in range(len(shape)) if i != axis])).astype("f")


def model_of(nodes, tables):
    graph = helper.make_graph(
        nodes,
        "lookups",
        [helper.make_tensor_value_info("places", TensorProto.INT32, [1, 3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(table, name) for name, table in tables.items()],
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


def run(model):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(["y"], {"places": PLACES})[0]


def constants(model):
    return [numpy_helper.to_array(tensor) for tensor in model.graph.initializer]


@pytest.mark.parametrize(
    ("shape", "axis"), [((300, 16), 0), ((24, 300), 1), ((300, 3, 8), 0), ((4, 300, 8), -2)]
)
def test_rows_of_every_axis_keep_their_own_scale(shape, axis):
    table = rows_of_unlike_sizes(*shape, axis=axis % len(shape))
    model = model_of([helper.make_node("Gather", ["t", "places"], ["y"], axis=axis)], {"t": table})
    expected = run(model)
    assert store_tables(model) == 1
    assert sum(array.nbytes for array in constants(model)) <= (0.25 + 0.5 / 8) * table.nbytes
    by_row = (np.moveaxis(y, axis % len(shape) + 1, 0) for y in (run(model), expected))
    for actual, right in zip(*by_row, strict=True):
        assert np.abs(actual - right).max() <= np.abs(right).max() / 250


def test_two_reads_of_a_table_store_it_once():
    table = rows_of_unlike_sizes(300, 16)
    nodes = [
        helper.make_node("Gather", ["t", "places"], ["a"]),
        helper.make_node("Gather", ["t", "places"], ["b"]),
        helper.make_node("Add", ["a", "b"], ["y"]),
    ]
    model = model_of(nodes, {"t": table})
    expected = run(model)
    assert store_tables(model) == 2
    assert sum(array.nbytes for array in constants(model)) <= 0.3 * table.nbytes
    np.testing.assert_allclose(run(model), expected, atol=np.abs(table).max() / 100)


def test_a_table_that_is_added_as_well_becomes_half_as_large():
    table = rows_of_unlike_sizes(300, 16)
    nodes = [
        helper.make_node("Gather", ["t", "places"], ["rows"]),
        helper.make_node("ReduceMean", ["t"], ["mean"], keepdims=1),
        helper.make_node("Add", ["rows", "mean"], ["y"]),
    ]
    model = model_of(nodes, {"t": table})
    expected = run(model)
    assert store_tables(model) == 0
    weights.quantize(model, None)
    assert sum(array.nbytes for array in constants(model)) == table.nbytes / 2
    np.testing.assert_allclose(run(model), expected, rtol=2e-3, atol=1e-4)


@pytest.mark.parametrize("width", [8, 24, 32, 40])
def test_int4_rows_are_blocks_of_any_even_width(width):
    table = np.random.default_rng(1).standard_normal((300, width)).astype(np.float32)
    model = model_of([helper.make_node("Gather", ["t", "places"], ["y"])], {"t": table})
    expected = run(model)
    assert store_tables(model, bits=4) == 1
    error = run(model) - expected
    assert 10 * np.log10((expected**2).sum() / (error**2).sum()) >= 17
    assert "GatherBlockQuantized" in {node.op_type for node in model.graph.node}


def test_rows_of_an_odd_width_take_8_bits():
    table = np.random.default_rng(1).standard_normal((300, 9)).astype(np.float32)
    model = model_of([helper.make_node("Gather", ["t", "places"], ["y"])], {"t": table})
    expected = run(model)
    assert store_tables(model, bits=4) == 1
    np.testing.assert_allclose(run(model), expected, atol=0.02)


def test_a_table_with_a_value_that_is_not_finite_stays_as_it_is():
    table = rows_of_unlike_sizes(300, 16)
    table[7, 3] = np.inf
    model = model_of([helper.make_node("Gather", ["t", "places"], ["y"])], {"t": table})
    assert store_tables(model) == 0
    assert constants(model)[0].dtype == np.float32
