"""Loose artifacts through the command line: what is measured, shown and refused."""

import numpy as np
import onnx
import pytest
import small_artifacts
from onnx import TensorProto, helper, numpy_helper

from edgekit import load_results
from edgekit.bundle.manifest import LOOSE
from edgekit.loose.bundle import loose_bundle

WEIGHT = np.random.default_rng(0).standard_normal((4, 3, 3, 3)).astype(np.float32)
TURN = {"first": [0, 3, 1, 2], "last": [0, 2, 3, 1]}
WRONG_USE = 2


def saved(path, nodes, given, made):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(*given[:1], TensorProto.FLOAT, given[1])],
        [helper.make_tensor_value_info(*made[:1], TensorProto.FLOAT, made[1])],
        [numpy_helper.from_array(WEIGHT, "w")],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path
    )
    return path


def conv(source, target):
    return helper.make_node("Conv", [source, "w"], [target], pads=[1] * 4)


def turned(source, target, place):
    return helper.make_node("Transpose", [source], [target], perm=TURN[place])


@pytest.fixture
def last(tmp_path):
    """One convolution of images with their channels last."""
    nodes = [turned("image", "a", "first"), conv("a", "b"), turned("b", "mask", "last")]
    shapes = ("image", [1, 8, 6, 3]), ("mask", [1, 8, 6, 4])
    return saved(tmp_path / "last.onnx", nodes, *shapes)


@pytest.fixture
def first(tmp_path):
    """The same one with channels first, a free batch, and other names."""
    shapes = ("x:0", ["n", 3, 8, 6]), ("y/0", ["n", 4, 8, 6])
    return saved(tmp_path / "Theirs v2.onnx", [conv("x:0", "y/0")], *shapes)


def rows_of(path):
    return {row.id: row for row in load_results(path).rows}


def test_artifacts_of_either_order_and_any_names_are_compared_on_the_same_samples(
    cli, tmp_path, last, first
):
    images = np.random.default_rng(1).random((9, 3, 8, 6), np.float32)
    np.savez("images.npz", image=images)
    answer = cli(
        "bench", last, first, "--glance", "--data", "images.npz", "-o", tmp_path / "r.json"
    )
    assert answer.exit_code == 0, answer.err
    results = load_results(tmp_path / "r.json")
    rows = rows_of(tmp_path / "r.json")
    assert list(rows) == ["onnx/fp32", "onnx/theirs-v2"]
    # It answers in the original's place, so it is not judged by its own answers.
    assert results.stands_in == "onnx/fp32"
    assert rows["onnx/fp32"].fidelity is None
    assert rows["onnx/theirs-v2"].fidelity.sqnr_db > 100
    assert rows["onnx/theirs-v2"].ratio_to_fp32 is not None
    assert (results.samples, results.noise) == (9, False)
    assert results.files == {"onnx/fp32": str(last), "onnx/theirs-v2": str(first)}
    assert "there is no original: top-1 and SQNR compare with onnx/fp32" in answer.out
    assert f"onnx/theirs-v2 is {first}" in answer.out
    assert cli("report", tmp_path / "r.json", "-o", tmp_path / "r.html").exit_code == 0
    assert cli("check", tmp_path / "r.json", "--gate", "theirs-v2 fidelity.sqnr>=60").out
    assert cli("compare", tmp_path / "r.json", tmp_path / "r.json").exit_code == 0


def test_labels_judge_loose_artifacts(cli, tmp_path):
    small_artifacts.write_onnx(tmp_path / "dense.onnx")
    x = small_artifacts.inputs(40)
    np.savez(tmp_path / "d.npz", x=x, y=small_artifacts.answers(x).argmax(1))
    answer = cli("bench", "dense.onnx", "--glance", "--data", "d.npz", "-o", "r.json")
    assert answer.exit_code == 0, answer.err
    assert rows_of(tmp_path / "r.json")["onnx/fp32"].accuracy.top1 == 1


def test_a_bundle_made_in_passing_converts_nothing_and_leaves_nothing(tmp_path, last):
    with loose_bundle([last]) as bundle:
        (record,) = bundle.artifacts
        place = bundle.artifact_path(record)
        assert place.read_bytes() == last.read_bytes()
        assert bundle.manifest.source["kind"] == LOOSE
        assert bundle.manifest.golden.kind == "noise"
    assert not bundle.folder.exists()
    assert last.exists()


def test_a_folder_of_tfjs_may_be_named_by_its_main_file(tmp_path):
    folder = small_artifacts.write_tfjs(tmp_path / "web")
    with loose_bundle([folder / "model.json"]) as bundle:
        assert [record.id for record in bundle.artifacts] == ["tfjs/fp32"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ("bench", "a.keras"),
            "a.keras is a model, and bench is for what is made of it. Type `edgekit convert "
            "a.keras`, then `edgekit bench a.edgekit`.",
        ),
        (
            ("demo", "a.keras", "last.onnx"),
            "a.keras is a model, and demo is for what is made of it. Type `edgekit convert "
            "a.keras`, then `edgekit demo a.edgekit`.",
        ),
        (
            ("bench", "notes.txt"),
            "notes.txt is not an artifact: expected a .tflite or .onnx file, or a TF.js folder "
            "with a model.json.",
        ),
        (("bench", "last.onnx", "none.tflite"), "none.tflite: no such file or folder."),
        (("bench", "last.onnx", "b"), "b is a bundle: give one bundle, or artifacts only."),
        (
            ("bench", "last.onnx", "dense.onnx"),
            "dense.onnx does not take and give what last.onnx does: its inputs are x: float32[1, "
            "64], and the other's image: float32[1, 8, 6, 3]. Measure each on its own.",
        ),
        (
            ("bench", "last.onnx", "--original", "a.keras"),
            "--original a.keras: nobody knows whether these artifacts were made of it. Convert "
            "it, and measure the bundle.",
        ),
    ],
)
def test_what_cannot_be_measured_is_refused(cli, tmp_path, last, words, message):
    small_artifacts.write_onnx(tmp_path / "dense.onnx")
    for name in ("a.keras", "notes.txt", "b/edgekit.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    answer = cli(*words)
    assert (answer.exit_code, answer.err.strip()) == (WRONG_USE, f"Error: {message}")
