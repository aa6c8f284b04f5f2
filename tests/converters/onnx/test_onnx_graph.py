"""Editing ONNX graphs: order, names, constants, loops."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from edgekit_converters.onnx.compact import compact
from edgekit_converters.onnx.graph import sort_nodes
from edgekit_converters.onnx.loops import hoist_constants

FLOAT = TensorProto.FLOAT


def constant(name, value, dtype=np.float32):
    return numpy_helper.from_array(np.asarray(value, dtype), name)


def value(name, shape=(2,), kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def model_of(nodes, constants, outputs=("y",)):
    graph = helper.make_graph(
        nodes, "test", [value("x")], [value(name) for name in outputs], constants
    )
    return helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 18)])


def run(model):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": np.array([1, 2], np.float32)})


def loop_model(changes_weight=False, returns_weight=False):
    """Return a loop of three steps: state = state * weight, with the weight among its state."""
    update = "Add" if changes_weight else "Identity"
    body = helper.make_graph(
        [
            helper.make_node("Mul", ["state_in", "weight_in"], ["state_out"]),
            helper.make_node(update, ["weight_in"] + ["x"] * changes_weight, ["weight_out"]),
            helper.make_node("Identity", ["condition_in"], ["condition_out"]),
        ],
        "body",
        [
            value("step", (), TensorProto.INT64),
            value("condition_in", (), TensorProto.BOOL),
            value("state_in"),
            value("weight_in"),
        ],
        [value("condition_out", (), TensorProto.BOOL), value("state_out"), value("weight_out")],
    )
    loop = helper.make_node(
        "Loop", ["steps", "", "x", "weight"], ["state", "weight_after"], body=body
    )
    nodes = [loop, helper.make_node("Add", ["state", "weight_after"], ["y"])]
    constants = [constant("steps", 3, np.int64), constant("weight", [2, 3])]
    return model_of(nodes, constants, ("y", "weight_after") if returns_weight else ("y",))


def test_nodes_are_put_behind_what_they_and_their_bodies_read():
    branch = helper.make_graph(
        [helper.make_node("Add", ["late", "x"], ["sum"])], "branch", [], [value("sum")]
    )
    nodes = [
        helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch),
        helper.make_node("Neg", ["early"], ["late"]),
        helper.make_node("Abs", ["x"], ["early"]),
    ]
    model = model_of(nodes, [constant("yes", True, np.bool_)])
    sort_nodes(model.graph)
    assert [node.op_type for node in model.graph.node] == ["Abs", "Neg", "If"]
    onnx.checker.check_model(model, full_check=True)


def test_equal_constants_are_stored_once_and_names_inside_get_short():
    name = "a/very/long/name/of/a/tensor"
    nodes = [
        helper.make_node("Add", ["x", f"{name}/zero"], [f"{name}/sum"], name="layer"),
        helper.make_node("Add", [f"{name}/sum", f"{name}/nought"], ["y"]),
    ]
    model = model_of(nodes, [constant(f"{name}/zero", [0, 0]), constant(f"{name}/nought", [0, 0])])
    before = run(model)
    compact(model)
    assert len(model.graph.initializer) == 1
    assert name not in str(model)
    assert model.graph.node[0].name == "layer"
    assert (run(model)[0] == before[0]).all()


def test_constants_that_differ_only_in_their_shape_or_dtype_are_kept_apart():
    nodes = [
        helper.make_node("Add", ["x", "row"], ["sum"]),
        helper.make_node("Reshape", ["sum", "shape"], ["y"]),
    ]
    model = model_of(nodes, [constant("row", [[0, 0]]), constant("shape", [2], np.int64)])
    model.graph.initializer.append(constant("flat", [0, 0]))
    model.graph.node.append(helper.make_node("Add", ["y", "flat"], ["z"]))
    model.graph.output.append(value("z"))
    compact(model)
    assert len(model.graph.initializer) == 3
    assert [list(array) for array in run(model)] == [[1, 2], [1, 2]]


def test_names_that_a_body_reads_from_outside_are_shortened_with_it():
    model = loop_model()
    hoist_constants(model.graph)
    before = run(model)
    compact(model)
    onnx.checker.check_model(model, full_check=True)
    assert "weight" not in [tensor.name for tensor in model.graph.initializer]
    assert (run(model)[0] == before[0]).all()


def test_constant_state_of_a_loop_is_hoisted():
    model = loop_model()
    before = run(model)
    hoist_constants(model.graph)
    loop = model.graph.node[0]
    assert list(loop.input) == ["steps", "", "x"]
    assert list(loop.output) == ["state"]
    onnx.checker.check_model(model, full_check=True)
    assert (run(model)[0] == before[0]).all()
    assert list(before[0]) == [1 * 2**3 + 2, 2 * 3**3 + 3]


def test_state_that_changes_or_is_an_output_stays_in_the_loop():
    for model in (loop_model(changes_weight=True), loop_model(returns_weight=True)):
        before = model.SerializeToString(deterministic=True)
        hoist_constants(model.graph)
        assert model.SerializeToString(deterministic=True) == before
