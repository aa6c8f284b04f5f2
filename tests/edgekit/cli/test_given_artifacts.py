"""Artifacts of other tools as sources, through the command line: rows, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import tflite_by_hand
from conftest import Answer
from onnx import TensorProto, helper, numpy_helper
from tfjs_by_hand import node, write_tfjs
from tfjs_layers import write_layers

from edgekit.bundle.bundle import load_bundle
from edgekit.bundle.manifest import ArtifactRecord, Manifest

Cli = Callable[..., Answer]
Refused = Callable[..., tuple[str, int]]
Bundles = Callable[..., Path]

WRONG_USE, FAILED = 2, 3
EXACT_DB = 100.0

QUANTIZED = (
    "{path} is quantized already: bring the float model that it was made from, since every recipe "
    "starts from that. As it is it can be measured: edgekit bench {path}"
)


def converted(cli: Cli, *words: object) -> dict[str, ArtifactRecord]:
    """Convert, and return the rows of the bundle by their ids."""
    answer = cli("convert", *words, "-o", "new.edgekit")
    assert answer.exit_code == 0, answer.err
    return {row.id: row for row in load_bundle(Path("new.edgekit")).artifacts}


def levels(rows: Mapping[str, ArtifactRecord]) -> dict[str, float]:
    """Return the SQNR of the artifacts that were made."""
    return {name: row.fidelity.sqnr_db for name, row in rows.items() if row.fidelity}


def manifest() -> Manifest:
    return load_bundle(Path("new.edgekit")).manifest


def said(row: ArtifactRecord) -> list[str]:
    return [note.text for note in row.notes]


def test_a_tflite_file_becomes_all_formats_and_its_own_from_the_file_itself(
    cli: Cli, tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    file = tflite_files("conv_net")
    rows = converted(cli, file, "--recipe", "fp32,fp16,int8-weights,fp32+prune50")
    assert (tmp_path / "new.edgekit" / "tflite" / "fp32.tflite").read_bytes() == file.read_bytes()
    found = levels(rows)
    assert found["tflite/fp32"] == np.inf
    assert min(found["tfjs/fp32"], found["onnx/fp32"]) > EXACT_DB
    assert found["tflite/fp32+prune50"] < EXACT_DB
    told = {name for name, row in rows.items() if "made from the file itself" in said(row)}
    assert told == {"tflite/fp32", "tflite/fp16", "tflite/int8-weights"}
    assert manifest().source["kind"] == "tflite"


def test_what_other_formats_are_not_made_of_is_named_and_tflite_stays(cli: Cli) -> None:
    tflite_by_hand.write_recurrent(Path("net.tflite"))
    rows = converted(cli, "net.tflite", "--recipe", "fp32")
    assert rows["tflite/fp32"].status == "ok"
    for name in ("tfjs/fp32", "onnx/fp32"):
        assert rows[name].status == "not available"
        assert rows[name].reason == (
            "the file computes with operators of TFLite that other formats are not made of: RNN "
            "(1). Bring the model that it was made from"
        )


@pytest.mark.parametrize("name", ["cut.tflite", "text.tflite"])
def test_a_damaged_tflite_file_is_refused_in_one_sentence(
    refused: Refused, tflite_files: Callable[..., Path], name: str
) -> None:
    whole = tflite_files("conv_net").read_bytes()
    content = whole[: len(whole) // 2] if name == "cut.tflite" else b"not a model"
    Path(name).write_bytes(content)
    message, code = refused("convert", name)
    assert message.startswith(f"{name} is damaged") or f"cannot load {name}" in message
    assert code == FAILED


def test_an_operator_that_litert_does_not_have_ends_the_conversion(refused: Refused) -> None:
    import tensorflow as tf

    function = tf.function(tf.math.erfinv)
    spec = tf.TensorSpec((1, 4), tf.float32, name="x")
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [function.get_concrete_function(spec)]
    )
    converter.allow_custom_ops = True
    Path("net.tflite").write_bytes(converter.convert())
    message, code = refused("convert", "net.tflite")
    assert message == "litert cannot load net.tflite: Encountered unresolved custom op: Erfinv."
    assert code == FAILED


def test_a_quantized_tflite_file_is_refused(
    refused: Refused, tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    shutil.copy(tflite_files("conv_net", int8=True), tmp_path / "net.tflite")
    message = QUANTIZED.format(path="net.tflite")
    assert refused("convert", "net.tflite") == (message, WRONG_USE)


def test_quantized_artifacts_of_each_format_are_refused(
    refused: Refused, bundles: Bundles, tmp_path: Path
) -> None:
    made = bundles("dense_net", "--recipe", "fp32,int8,int8-weights,int8-dynamic")
    copy = tmp_path / "made"
    shutil.copytree(made, copy)
    for path in (
        *("tflite/int8.tflite", "tflite/int8-weights.tflite", "tflite/int8-dynamic.tflite"),
        *("onnx/int8.onnx", "onnx/int8-weights.onnx", "onnx/int8-dynamic.onnx"),
        "tfjs/int8-weights",
    ):
        message = QUANTIZED.format(path=f"made/{path}")
        assert refused("convert", f"made/{path}") == (message, WRONG_USE)


def test_a_graph_model_of_tfjs_becomes_all_formats(cli: Cli, bundles: Bundles) -> None:
    made = bundles("dense_net", "--recipe", "fp32,fp16")
    rows = converted(cli, made / "tfjs" / "fp16", "--recipe", "fp32")
    found = levels(rows)
    assert found["tfjs/fp32"] == np.inf
    assert min(found.values()) > EXACT_DB
    assert manifest().source["kind"] == "tfjs"
    assert manifest().notes[0].startswith("the weights are stored as float16 in the file")


@pytest.mark.parametrize("by_tfjs", [False, True])
def test_a_layers_model_of_tfjs_becomes_all_formats(cli: Cli, by_tfjs: bool) -> None:
    import tf_keras
    from tf_keras import layers

    tf_keras.utils.set_random_seed(0)
    x = layers.Input((6, 4), name="x")
    y = layers.PReLU()(layers.Conv1D(5, 3, padding="same")(x))
    y = layers.LSTM(4)(y) if by_tfjs else layers.GlobalMaxPooling1D()(layers.ReLU()(y))
    ends = [layers.Dense(3, name="kind")(y), layers.Dense(2, activation="tanh", name="place")(y)]
    write_layers(tf_keras.Model(x, ends), Path("net"), by_tfjs)
    rows = converted(cli, "net/model.json", "--recipe", "fp32")
    assert [spec.name for spec in manifest().outputs] == ["kind", "place"]
    assert min(levels(rows).values()) > EXACT_DB


def test_a_lambda_layer_of_tfjs_needs_the_user_s_word(refused: Refused) -> None:
    import tf_keras
    from tf_keras import layers

    x = layers.Input((4,), name="x")
    write_layers(tf_keras.Model(x, layers.Lambda(lambda t: t * 2)(x)), Path("net"))
    assert refused("convert", "net") == (
        "net/model.json holds a Lambda layer, whose code would run on this machine when the model "
        "is loaded. If you trust the file, allow it with --unsafe; better, replace the layer by "
        "keras.ops and save the model again.",
        FAILED,
    )


def small_tfjs(folder: Path) -> dict[str, Any]:
    """Write y = x + 1 and return its model.json."""
    form = ([-1, 4], "float32")
    nodes = [node("y", "AddV2", "x", "one", T="float32")]
    write_tfjs(folder, nodes, {"x": form}, {"y": form}, {"one": np.ones(4, np.float32)})
    model: dict[str, Any] = json.loads((folder / "model.json").read_text())
    return model


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("no.bin", "net/model.json names the weight file 'no.bin', which is not there."),
        (
            "../weights.bin",
            "net/model.json names a weight file outside of its folder: '../weights.bin'. Put all "
            "files of the model into one folder.",
        ),
        (
            "link.bin",
            "net/model.json names a weight file outside of its folder: 'link.bin'. Put all files "
            "of the model into one folder.",
        ),
        (
            "short.bin",
            "net/model.json says that short.bin hold 16 bytes of weights, and they hold 3. Get the "
            "files again.",
        ),
    ],
)
def test_a_weight_file_of_tfjs_is_in_the_folder_and_whole(
    refused: Refused, name: str, message: str
) -> None:
    model = small_tfjs(Path("net"))
    Path("weights.bin").write_bytes(bytes(16))
    Path("net/link.bin").symlink_to(Path("weights.bin").resolve())
    Path("net/short.bin").write_bytes(bytes(3))
    model["weightsManifest"][0]["paths"] = [name]
    Path("net/model.json").write_text(json.dumps(model))
    assert refused("convert", "net") == (message, FAILED)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "net.json is damaged, or not JSON: Expecting property name enclosed in double"),
        ("[" * 100_000, "net.json is damaged, or not JSON: "),
        ('{"results": []}', "net.json is not a TF.js model: it holds no modelTopology."),
        (
            '{"modelTopology": {"node": []}}',
            "net.json does not say how its weights are stored: 'weightsManifest'",
        ),
    ],
)
def test_a_damaged_model_json_is_refused_in_one_sentence(
    refused: Refused, text: str, message: str
) -> None:
    Path("net.json").write_text(text)
    told, code = refused("convert", "net.json")
    assert told.startswith(message)
    assert code == FAILED


def test_an_operator_that_tensorflow_does_not_have_is_named(refused: Refused) -> None:
    form = ([1, 4], "float32")
    write_tfjs(Path("net"), [node("y", "Sparkle", "x")], {"x": form}, {"y": form})
    message, code = refused("convert", "net")
    assert message.startswith("net/model.json computes with what TensorFlow")
    assert message.endswith("has no operator for: Sparkle. Bring the model that it was made from.")
    assert code == FAILED


def ops_of(path: str) -> set[str]:
    return {one.op_type for one in onnx.load(path).graph.node}


def write_onnx(path: Path, op: str, domain: str = "") -> None:
    """Write y = MatMul(op(x), kernel) for x [6, 1, 4]."""
    generator = np.random.default_rng(0)
    sizes = {"w": (1, 32, 4), "r": (1, 32, 8)} if op == "LSTM" else {}
    width = 8 if op == "LSTM" else 4
    sizes["k"] = (width, 40)
    arrays = {name: generator.standard_normal(size) / 4 for name, size in sizes.items()}
    weights = [numpy_helper.from_array(x.astype(np.float32), name) for name, x in arrays.items()]
    if op == "LSTM":
        made = [
            helper.make_node("LSTM", ["x", "w", "r"], ["all"], "lstm", hidden_size=8),
            helper.make_node("Squeeze", ["all", "one"], ["mid"]),
        ]
        weights.append(numpy_helper.from_array(np.array([1], np.int64), "one"))
    else:
        made = [helper.make_node(op, ["x"], ["mid"], "odd", domain=domain)]
    made.append(helper.make_node("MatMul", ["mid", "k"], ["y"], "dense"))
    entries = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes)
        for name, sizes in (("x", [6, 1, 4]), ("y", [6, 1, 40]))
    ]
    graph = helper.make_graph(made, "net", entries[:1], entries[1:], weights)
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)


def test_an_onnx_file_keeps_its_lstm_in_onnx(cli: Cli, tmp_path: Path) -> None:
    write_onnx(Path("net.onnx"), "LSTM")
    rows = converted(cli, "net.onnx", "--recipe", "fp32,fp16,int8-weights,fp32+prune50")
    found = levels(rows)
    assert found["onnx/fp32"] == np.inf
    assert min(found["tflite/fp32"], found["tfjs/fp32"]) > EXACT_DB
    for name in ("fp32", "fp16", "int8-weights"):
        assert "LSTM" in ops_of(f"new.edgekit/onnx/{name}.onnx")
    assert "LSTM" not in ops_of("new.edgekit/onnx/fp32+prune50.onnx")
    assert said(rows["onnx/fp32"]) == ["made from the file itself, for its LSTM (1)"]


def test_what_the_importer_does_not_know_leaves_onnx_alone(cli: Cli) -> None:
    write_onnx(Path("net.onnx"), "QuickGelu", "com.microsoft")
    rows = converted(cli, "net.onnx", "--recipe", "fp32,int8-dynamic,fp32+prune50")
    assert levels(rows).keys() == {"onnx/fp32", "onnx/int8-dynamic"}
    assert levels(rows)["onnx/fp32"] == np.inf
    for name in ("tflite/fp32", "tfjs/fp32", "onnx/fp32+prune50"):
        assert rows[name].status == "not available"
        assert "QuickGelu (1)" in str(rows[name].reason)
    assert said(rows["onnx/fp32"]) == ["made from the file itself"]


@pytest.mark.slow
def test_originals_are_measured_by_the_engines_of_their_formats(
    cli: Cli, bundles: Bundles, tflite_files: Callable[..., Path], short_plan: None
) -> None:
    made = bundles("dense_net", "--recipe", "fp32,fp16")
    for source, engine in ((tflite_files("conv_net"), "litert"), (made / "tfjs" / "fp32", "tfjs")):
        converted(cli, source, "--recipe", "fp32", "--force", "--to", "tflite,tfjs")
        answer = cli("bench", "new.edgekit", "--json")
        assert answer.exit_code == 0, answer.err
        rows = {row["id"]: row for row in json.loads(answer.out)["rows"]}
        assert rows["original"]["engine"] == engine
        assert rows["original"]["status"] == "ok"
