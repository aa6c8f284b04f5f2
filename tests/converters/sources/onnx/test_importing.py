"""ONNX models become frozen graphs that answer as onnxruntime does and move no more than needed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper
from onnx_by_hand import model, node, weights

from edgekit_converters.sources.onnx.importing import Imported, ImportOptions, import_model
from edgekit_converters.sources.onnx.ops import operators
from edgekit_converters.sources.onnx.quantized import is_quantized
from edgekit_runtimes.errors import SourceError, UsageError

IMAGE = {"x": ("n", 3, 16, 16)}
LAST = (0, 3, 1, 2)


def ops(imported: Imported) -> Counter[str]:
    return Counter(entry.op for entry in imported.graph.graph_def.node)


def conv(x: str, y: str, kernel: str, **attributes: Any) -> Any:
    return node("Conv", f"{x} {kernel}", y, **attributes)


def classifier() -> Any:
    return model(
        [
            conv("x", "a", "k", pads=[1, 1, 1, 1], strides=[2, 2]),
            node("Relu", "a", "b"),
            node("MaxPool", "b", "c", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
            conv("c", "d", "depthwise", group=8, pads=[1, 1, 1, 1]),
            node("Add", "c d", "e"),
            node("GlobalAveragePool", "e", "f"),
            node("Flatten", "f", "g"),
            node("Gemm", "g dense bias", "y", transB=1),
        ],
        IMAGE,
        ["y"],
        {
            "k": weights(8, 3, 3, 3),
            "depthwise": weights(8, 1, 3, 3),
            "dense": weights(5, 8),
            "bias": weights(5),
        },
    )


def shuffled() -> Any:
    return model(
        [
            conv("x", "a", "k"),
            node("Reshape", "a split", "b"),
            node("Transpose", "b", "c", perm=[0, 2, 1, 3, 4]),
            node("Reshape", "c joined", "d"),
            conv("d", "y", "k2"),
        ],
        IMAGE,
        ["y"],
        {
            "k": weights(8, 3, 1, 1),
            "k2": weights(4, 8, 1, 1),
            "split": np.array([0, 2, 4, 16, 16]),
            "joined": np.array([0, 8, 16, 16]),
        },
    )


def normed_beside_convolutions() -> Any:
    return model(
        [
            conv("x", "a", "k", pads=[1, 1, 1, 1]),
            node("Transpose", "a", "b", perm=[0, 2, 3, 1]),
            node("LayerNormalization", "b scale", "c"),
            node("MatMul", "c dense", "d"),
            node("Transpose", "d", "e", perm=[0, 3, 1, 2]),
            node("Add", "a e", "f"),
            conv("f", "y", "k2"),
        ],
        IMAGE,
        ["y"],
        {
            "k": weights(8, 3, 3, 3),
            "k2": weights(2, 8, 1, 1),
            "scale": weights(8),
            "dense": weights(8, 8),
        },
    )


def patches() -> Any:
    """The head of a vision transformer: shapes are computed while it runs."""
    return model(
        [
            conv("x", "a", "k", strides=[4, 4]),
            node("Shape", "a", "s"),
            node("Gather", "s zero", "n"),
            node("Unsqueeze", "n front", "n1"),
            node("Concat", "n1 rest", "sizes", axis=0),
            node("Reshape", "a sizes", "b"),
            node("Transpose", "b", "c", perm=[0, 2, 1]),
            node("Concat", "n1 token_sizes", "expanded", axis=0),
            node("Expand", "token expanded", "t"),
            node("Concat", "t c", "d", axis=1),
            node("MatMul", "d dense", "e"),
            node("Softmax", "e", "y", axis=-1),
        ],
        IMAGE,
        ["y"],
        {
            "k": weights(6, 3, 4, 4),
            "zero": np.array(0),
            "front": np.array([0]),
            "rest": np.array([6, 16]),
            "token_sizes": np.array([1, 6]),
            "token": weights(1, 1, 6),
            "dense": weights(6, 4),
        },
    )


def attention() -> Any:
    return model(
        [
            node("MatMul", "x q", "a"),
            node("MatMul", "x k", "b"),
            node("Transpose", "b", "c", perm=[0, 2, 1]),
            node("Mul", "c half", "d"),
            node("MatMul", "a d", "e"),
            node("Softmax", "e", "f", axis=-1),
            node("MatMul", "f x", "y"),
        ],
        {"x": ("n", 5, 8)},
        ["y"],
        {"q": weights(8, 8), "k": weights(8, 8), "half": np.float32(0.5)},
    )


def series() -> Any:
    return model(
        [
            conv("x", "a", "k", pads=[1, 1]),
            node("Relu", "a", "b"),
            node("MaxPool", "b", "c", kernel_shape=[2], strides=[2]),
            node("GlobalAveragePool", "c", "d"),
            node("Squeeze", "d last", "y"),
        ],
        {"x": ("n", 4, 12)},
        ["y"],
        {"k": weights(6, 4, 3), "last": np.array([2])},
    )


def kept_last() -> Any:
    """As tf2onnx writes it: channels last outside, a transposition on either side."""
    return model(
        [
            node("Transpose", "x", "a", perm=[0, 3, 1, 2]),
            conv("a", "b", "k", auto_pad="SAME_UPPER", strides=[2, 2]),
            node("Relu", "b", "c"),
            node("Transpose", "c", "y", perm=[0, 2, 3, 1]),
        ],
        {"x": ("n", 16, 16, 3)},
        ["y"],
        {"k": weights(4, 3, 3, 3)},
    )


def lstm(steps: int, direction: str = "bidirectional") -> Any:
    count = 2 if direction == "bidirectional" else 1
    return model(
        [
            node("Transpose", "x", "a", perm=[1, 0, 2]),
            node("LSTM", "a w r b", "b1", hidden_size=6, direction=direction),
            node("Transpose", "b1", "c", perm=[2, 0, 1, 3]),
            node("Reshape", "c joined", "y"),
        ],
        {"x": ("n", steps, 4)},
        ["y"],
        {
            "w": weights(count, 24, 4),
            "r": weights(count, 24, 6),
            "b": weights(count, 48),
            "joined": np.array([0, steps, 6 * count]),
        },
    )


def padded_pools() -> Any:
    pool = {"kernel_shape": [3, 3], "strides": [2, 2]}
    return model(
        [
            node("AveragePool", "x", "a", pads=[1, 1, 1, 1], count_include_pad=1, **pool),
            node("AveragePool", "x", "b", pads=[1, 1, 1, 1], **pool),
            node("AveragePool", "x", "c", ceil_mode=1, pads=[1, 1, 0, 0], **pool),
            node("MaxPool", "x", "d", ceil_mode=1, pads=[0, 0, 1, 1], **pool),
            node("Sum", "a b c d", "y"),
        ],
        {"x": ("n", 2, 15, 15)},
        ["y"],
    )


def upsampled(**attributes: Any) -> Callable[[], Any]:
    def make() -> Any:
        return model(
            [conv("x", "a", "k"), node("Resize", "a - scales", "y", **attributes)],
            IMAGE,
            ["y"],
            {"k": weights(2, 3, 1, 1), "scales": np.array([1, 1, 2, 2], np.float32)},
        )

    return make


def transposed_conv() -> Any:
    up = {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]}
    return model(
        [node("ConvTranspose", "x k", "a", **up), node("ConvTranspose", "a k2", "y", group=2)],
        IMAGE,
        ["y"],
        {"k": weights(3, 4, 3, 3), "k2": weights(4, 3, 2, 2)},
    )


# Name: the net, how many transpositions its graph has, and how its inputs and outputs lie.
NETS: dict[str, tuple[Callable[[], Any], int, dict[str, tuple[int, ...]]]] = {
    "a classifier": (classifier, 0, {"x": LAST}),
    "shuffled channels": (shuffled, 1, {"x": LAST, "y": LAST}),
    "norms beside convolutions": (normed_beside_convolutions, 0, {"x": LAST, "y": LAST}),
    "patches": (patches, 0, {"x": LAST}),
    "attention": (attention, 0, {}),
    "a series": (series, 0, {"x": (0, 2, 1)}),
    "channels last already": (kept_last, 0, {}),
    "a biLSTM": (lambda: lstm(5), 0, {}),
    "pools with padding": (padded_pools, 0, {"x": LAST, "y": LAST}),
    "linear resize": (upsampled(mode="linear"), 0, {"x": LAST, "y": LAST}),
    "nearest resize": (
        upsampled(mode="nearest", coordinate_transformation_mode="asymmetric"),
        0,
        {"x": LAST, "y": LAST},
    ),
    "transposed convolutions": (transposed_conv, 0, {"x": LAST, "y": LAST}),
}


@pytest.mark.parametrize("name", NETS)
def test_a_net_is_proven_with_three_samples_and_moves_no_more_than_it_must(name: str) -> None:
    make, transposes, axes = NETS[name]
    imported = import_model(make())
    assert ops(imported)["Transpose"] == transposes
    assert dict(imported.axes) == axes
    assert imported.graph.batched
    assert imported.graph.input_specs[0].shape[0] is None


def test_linear_and_nearest_resizes_are_single_operators() -> None:
    for way in ("half_pixel", "align_corners", "asymmetric"):
        found = ops(import_model(upsampled(mode="linear", coordinate_transformation_mode=way)()))
        assert (found["ResizeBilinear"], found["MatMul"]) == (1, 0)
    assert ops(import_model(upsampled(mode="nearest")()))["ResizeNearestNeighbor"] == 1


def test_a_cubic_resize_is_two_products() -> None:
    assert ops(import_model(upsampled(mode="cubic")()))["MatMul"] == 2


def test_the_graph_takes_and_gives_channels_last_as_axes_say() -> None:
    made = shuffled()
    imported = import_model(made)
    x = np.random.default_rng(1).normal(size=(3, 3, 16, 16)).astype(np.float32)
    (wanted,) = onnxruntime.InferenceSession(made.SerializeToString()).run(None, {"x": x})
    found = imported.graph.run({"x": x.transpose(0, 2, 3, 1)})["y"]
    np.testing.assert_allclose(found.transpose(imported.axes["y"]), wanted, atol=1e-5)
    assert [entry.source_axes for entry in imported.graph.inputs] == [LAST]
    assert "channels last in TFLite and TF.js, which compute so: x, y" in imported.notes[0]


def test_layout_nchw_keeps_the_models_order_and_nhwc_brings_onnx_along() -> None:
    flat = import_model(classifier(), ImportOptions(layout="nchw"))
    assert flat.axes == {}
    assert flat.graph.input_specs[0].shape == (None, 3, 16, 16)
    assert ops(flat)["Transpose"] == 1
    last = import_model(classifier(), ImportOptions(layout="nhwc"))
    assert last.axes == {"x": LAST}
    assert last.graph.inputs[0].source_axes is None


def test_names_that_tensorflow_does_not_take_stay_in_the_signature() -> None:
    x, y = "serving_default_x:0", "/head/out é"
    made = model([node("Relu", "a", "b")], {"a": ("n", 3)}, ["b"])
    made.graph.input[0].name = made.graph.node[0].input[0] = x
    made.graph.output[0].name = made.graph.node[0].output[0] = y
    graph = import_model(made).graph
    assert (graph.input_specs[0].name, graph.output_specs[0].name) == (x, y)
    assert graph.run({x: np.full((1, 3), -1, np.float32)})[y].max() == 0


def test_a_graph_that_answers_otherwise_is_refused_with_the_first_tensor_that_differs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = operators()
    monkeypatch.setitem(table, "Relu", table["Tanh"])  # type: ignore[arg-type]
    with pytest.raises(SourceError) as caught:
        import_model(classifier())
    assert "at output 'y'; the first tensor that differs is 'b' (Relu_b)" in str(caught.value)
    assert "differs by" in str(caught.value)


def test_unknown_operators_are_listed_at_once_with_their_counts() -> None:
    unique = [node("Unique", "x", "u"), node("Unique", "u", "v"), node("Det", "m", "d")]
    made = model(unique, {"x": (4,), "m": (2, 2)}, ["v", "d"])
    with pytest.raises(SourceError, match=r"cannot take over these operators: Unique \(2\)\. Exp"):
        import_model(made)


def test_a_detector_is_to_be_cut_before_its_selection() -> None:
    made = model(
        [node("NonMaxSuppression", "boxes scores most", "y")],
        {"boxes": (1, 6, 4), "scores": (1, 1, 6)},
        ["y"],
        {"most": np.array([3])},
        dtypes={"y": TensorProto.INT64},
    )
    with pytest.raises(SourceError, match=r'extract_model\(.*\["boxes", "scores"\]\)'):
        import_model(made)


def test_the_batch_of_an_export_for_one_sample_is_freed_where_three_answer_alike() -> None:
    made = classifier()
    made.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    imported = import_model(made)
    assert imported.graph.input_specs[0].shape[0] is None
    assert any("three samples at once gave the same" in note for note in imported.notes)


def test_the_batch_stays_1_where_a_reshape_says_so() -> None:
    nodes = [node("Reshape", "x sizes", "a"), node("MatMul", "a dense", "y")]
    constants = {"sizes": np.array([1, -1]), "dense": weights(12, 2)}
    graph = import_model(model(nodes, {"x": (1, 3, 4)}, ["y"], constants)).graph
    assert graph.input_specs[0].shape == (1, 3, 4)


def test_the_batch_is_1_where_a_model_says_that_it_is_free_and_it_is_not() -> None:
    nodes = [node("Reshape", "x sizes", "y")]
    made = model(nodes, {"x": ("n", 3, 4)}, ["y"], {"sizes": np.array([1, 12])})
    imported = import_model(made)
    assert imported.graph.input_specs[0].shape == (1, 3, 4)
    assert "the batch is fixed to 1: the model says that it is free" in imported.notes[0]


def test_states_stay_inputs_and_outputs_and_their_batch_is_asked_for() -> None:
    nodes = [node("LSTM", "x w r - - h c", "y h1 c1", hidden_size=6)]
    made = model(
        nodes,
        {"x": (5, "n", 4), "h": (1, "n", 6), "c": (1, "n", 6)},
        ["y", "h1", "c1"],
        {"w": weights(1, 24, 4), "r": weights(1, 24, 6)},
    )
    with pytest.raises(UsageError, match="--input-shape x=5,"):
        import_model(made)
    shapes = {"x": (5, 1, 4), "h": (1, 1, 6), "c": (1, 1, 6)}
    graph = import_model(made, ImportOptions(input_shapes=shapes)).graph
    assert [spec.name for spec in graph.output_specs] == ["y", "h1", "c1"]


def test_a_long_series_becomes_a_loop_with_batch_1_and_a_note() -> None:
    imported = import_model(lstm(70, "reverse"))
    found = ops(imported)
    assert found["While"] + found["StatelessWhile"] == 1
    assert imported.graph.input_specs[0].shape[0] == 1
    assert any("has a loop" in note for note in imported.notes)


def test_weights_of_an_unrolled_lstm_are_there_once() -> None:
    graph = import_model(lstm(20)).graph
    assert graph.graph_def.ByteSize() < 120_000


def test_a_fixed_input_folds_the_condition_that_it_decides() -> None:
    branches = {
        name: helper.make_graph(
            [node(op, "x", name)],
            name,
            [],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
        )
        for name, op in (("p", "Relu"), ("q", "Neg"))
    }
    made = model(
        [
            node("Equal", "rate sixteen", "is_fast"),
            node("If", "is_fast", "y", then_branch=branches["p"], else_branch=branches["q"]),
        ],
        {"x": ("n", 3), "rate": ()},
        ["y"],
        {"sixteen": np.array(16000)},
        dtypes={"rate": TensorProto.INT64},
    )
    with pytest.raises(SourceError, match=r"If \(1\)"):
        import_model(made)
    graph = import_model(made, ImportOptions(fixed={"rate": 16000})).graph
    assert [spec.name for spec in graph.input_specs] == ["x"]
    assert graph.run({"x": np.full((1, 3), -2, np.float32)})["y"].max() == 0
    with pytest.raises(UsageError, match="--set names 'speed', which is not an input"):
        import_model(made, ImportOptions(fixed={"speed": 1}))
    with pytest.raises(UsageError, match="--set rate does not fit"):
        import_model(made, ImportOptions(fixed={"rate": [1, 2]}))


@pytest.mark.parametrize("opset", [7, 9, 10, 11, 13, 18, 21, 23, 26])
def test_opsets_from_7_on_are_read(opset: int) -> None:
    nodes = [
        conv("x", "a", "k", pads=[1, 1, 1, 1]),
        node("BatchNormalization", "a scale bias mean var", "b"),
        node("ReduceMean", "b", "c", axes=[2, 3], keepdims=1)
        if opset < 18
        else node("ReduceMean", "b places", "c"),
        node("Squeeze", "c", "d", axes=[2, 3]) if opset < 13 else node("Squeeze", "c places", "d"),
        node("Softmax", "d", "y", axis=1),
    ]
    constants = {"k": weights(4, 3, 3, 3), "scale": weights(4), "bias": weights(4, seed=1)}
    constants |= {"mean": weights(4, seed=2), "var": np.abs(weights(4, seed=3))}
    if opset >= 13:
        constants["places"] = np.array([2, 3])
    made = model(nodes, IMAGE, ["y"], constants, opset)
    made.ir_version = 3 if opset < 9 else 8
    if made.ir_version == 3:
        for tensor in made.graph.initializer:
            made.graph.input.append(
                helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
            )
    assert ops(import_model(made))["Conv2D"] == 1


def test_an_opset_that_is_not_read_is_refused_by_its_number() -> None:
    made = classifier()
    made.opset_import[0].version = 6
    with pytest.raises(SourceError, match="is written in opset 6, and edgekit reads 7 to"):
        import_model(made)


def test_quantized_models_are_told_apart_and_refused() -> None:
    constants = {"s": np.float32(0.1), "z": np.uint8(3)}
    nodes = [node("QuantizeLinear", "x s z", "q"), node("DequantizeLinear", "q s z", "y")]
    made = model(nodes, {"x": ("n", 4)}, ["y"], constants)
    assert is_quantized(made)
    assert not is_quantized(classifier())
    with pytest.raises(SourceError, match="is quantized already: bring the float model"):
        import_model(made)


def test_a_model_without_inputs_or_with_open_sizes_is_refused() -> None:
    with pytest.raises(SourceError, match="has no inputs"):
        import_model(model([node("Relu", "a", "y")], {}, ["y"], {"a": weights(2)}))
    made = model(
        [conv("x", "y", "k")], {"x": ("n", 3, "h", "w")}, ["y"], {"k": weights(2, 3, 1, 1)}
    )
    with pytest.raises(UsageError, match="--input-shape x=1,3,224,224"):
        import_model(made)
    shapes = {"x": (1, 3, 8, 6)}
    graph = import_model(made, ImportOptions(input_shapes=shapes)).graph
    assert graph.input_specs[0].shape == (None, 8, 6, 3)


@pytest.mark.parametrize(
    "last",
    [
        [node("Div", "x root", "y")],
        [node("Reciprocal", "root", "inverse"), node("Mul", "x inverse", "y")],
    ],
)
def test_what_is_divided_by_a_root_is_multiplied_by_its_inverse(last: list[Any]) -> None:
    nodes = [node("Mul", "x x", "square"), node("Add", "square one", "sum")]
    made = model(
        [*nodes, node("Sqrt", "sum", "root"), *last],
        {"x": ("n", 6)},
        ["y"],
        {"one": np.float32([1e-5])},
    )
    found = ops(import_model(made))
    assert found["Rsqrt"] == 1
    assert not {"RealDiv", "Reciprocal", "Inv", "Sqrt"} & set(found)
