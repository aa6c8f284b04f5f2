"""SavedModels of TensorFlow 1: variables, branches and tables become constants, names stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from edgekit_converters.sources import SourceOptions, load_source
from edgekit_runtimes.errors import SourceError
from edgekit_runtimes.tensors import Arrays

v1 = tf.compat.v1
# Inputs and outputs by name: what `predict_signature_def` takes.
Net = Callable[[], tuple[dict[str, Any], dict[str, Any]]]
X = np.linspace(-1, 1, 8, dtype=np.float32).reshape(2, 4)


@pytest.fixture(params=["variables of references", "resources"])
def old_tensorflow(request: pytest.FixtureRequest) -> Iterator[None]:
    """Build graphs as TensorFlow 1 did: loops and branches in single nodes."""
    v1.disable_control_flow_v2()
    if request.param != "resources":
        v1.disable_resource_variables()
    yield
    v1.enable_control_flow_v2()
    v1.enable_resource_variables()


def save(folder: Path, net: Net, inputs: Arrays, key: str = "serving_default") -> Arrays:
    """Write a net as TensorFlow 1 did and return what it answers there."""
    with tf.Graph().as_default(), v1.Session() as session:
        v1.set_random_seed(0)
        given, made = net()
        session.run([v1.global_variables_initializer(), v1.tables_initializer()])
        answers: Arrays = session.run(made, {given[name]: x for name, x in inputs.items()})
        signature = v1.saved_model.predict_signature_def(given, made)
        builder = v1.saved_model.Builder(str(folder))
        builder.add_meta_graph_and_variables(
            session, ["serve"], {key: signature}, main_op=v1.tables_initializer()
        )
        builder.save()
    return answers


def check_answers(folder: Path, inputs: Arrays, expected: Arrays) -> None:
    source = load_source(folder)
    for found in (source.run(inputs), source.graph.run(inputs)):
        assert list(found) == sorted(expected)
        for name, array in expected.items():
            np.testing.assert_allclose(found[name], array, atol=1e-6)


def normalized() -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a trained layer as Keras wrote it then, which asks whether it is being trained."""
    x = v1.placeholder(tf.float32, (None, 4), name="x")
    training = v1.placeholder_with_default(False, (), name="keras_learning_phase")
    kernel = v1.get_variable("kernel", (4, 3))
    y = tf.matmul(x, kernel)
    mean = v1.get_variable("mean", (3,), initializer=v1.ones_initializer(), trainable=False)
    y = v1.cond(training, lambda: y - tf.reduce_mean(y, 0), lambda: y - mean)
    y = v1.cond(training, lambda: tf.nn.dropout(y, rate=0.5), lambda: tf.identity(y))
    v1.train.AdamOptimizer().minimize(tf.reduce_mean(y))
    return {"pixels/x": x}, {"scores": y, "best": tf.argmax(y, -1)}


@pytest.mark.usefixtures("old_tensorflow")
def test_a_trained_net_of_tensorflow_1_answers_as_it_did_there(tmp_path: Path) -> None:
    expected = save(tmp_path / "net", normalized, {"pixels/x": X}, key="predict_images")
    check_answers(tmp_path / "net", {"pixels_x": X}, expected)
    ops = {node.op for node in load_source(tmp_path / "net").graph.graph_def.node}
    assert not ops & {"Switch", "Merge", "RandomUniform", "VariableV2", "VarHandleOp"}


def test_a_branch_of_the_second_control_flow_is_decided(tmp_path: Path) -> None:
    expected = save(tmp_path / "net", normalized, {"pixels/x": X})
    check_answers(tmp_path / "net", {"pixels_x": X}, expected)
    source = load_source(tmp_path / "net")
    assert not source.notes
    assert source.graph.input_specs[0].shape == (None, 4)


@pytest.mark.usefixtures("old_tensorflow")
def test_a_loop_of_tensorflow_1_is_refused_with_what_to_do(tmp_path: Path) -> None:
    def looped() -> tuple[dict[str, Any], dict[str, Any]]:
        x = v1.placeholder(tf.float32, (1, 4), name="x")
        y = v1.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.tanh(y)), [0, x])[1]
        # A saver wants a variable.
        return {"x": x}, {"y": y + v1.get_variable("bias", (4,))}

    save(tmp_path / "net", looped, {"x": X[:1]})
    with pytest.raises(SourceError) as raised:
        load_source(tmp_path / "net")
    assert str(raised.value) == (
        f"{tmp_path / 'net'} has a loop of TensorFlow 1 (while), which no format takes. Call "
        "tf.compat.v1.enable_control_flow_v2() before the model is built, and export it again."
    )


def test_tables_of_integers_become_constants_and_labels_are_left_out(tmp_path: Path) -> None:
    def labelled() -> tuple[dict[str, Any], dict[str, Any]]:
        x = v1.placeholder(tf.int64, (None, 2), name="ids")
        numbers = tf.lookup.KeyValueTensorInitializer(
            tf.constant([3, 5, 9], tf.int64), tf.constant([1, 2, 3], tf.int64)
        )
        words = tf.lookup.KeyValueTensorInitializer(
            tf.constant([0, 1, 2, 3], tf.int64), tf.constant(["none", "a", "b", "c"])
        )
        places = tf.lookup.StaticHashTable(numbers, 0).lookup(x)
        y = tf.gather(v1.get_variable("kernel", (4, 3)), places)
        return {"ids": x}, {"y": y, "words": tf.lookup.StaticHashTable(words, "?").lookup(places)}

    ids: Arrays = {"ids": np.int64([[3, 9], [5, 7]])}
    expected = save(tmp_path / "net", labelled, ids)
    check_answers(tmp_path / "net", ids, {"y": expected["y"]})
    assert load_source(tmp_path / "net").notes == (
        "left out, because no edge format has strings: the output words",
    )


def test_of_several_graphs_the_one_for_serving_is_taken(tmp_path: Path) -> None:
    for name, tags in (("good", ("train", "serve")), ("bad", ("train", "gpu"))):
        builder = v1.saved_model.Builder(str(tmp_path / name))
        for number, tag in enumerate(tags):
            with tf.Graph().as_default(), v1.Session() as session:
                x = v1.placeholder(tf.float32, (None, 4), name="x")
                y = x * v1.get_variable("scale", (), initializer=v1.ones_initializer()) + number
                session.run(v1.global_variables_initializer())
                signature = v1.saved_model.predict_signature_def({"x": x}, {"y": y})
                if number:
                    builder.add_meta_graph([tag], {"serving_default": signature})
                else:
                    builder.add_meta_graph_and_variables(
                        session, [tag], {"serving_default": signature}
                    )
        builder.save()
    check_answers(tmp_path / "good", {"x": X}, {"y": X + 1})
    with pytest.raises(SourceError, match=r"has 2 graphs \(train; gpu\), and not one of them for"):
        load_source(tmp_path / "bad")


def test_an_input_without_axes_is_named(tmp_path: Path) -> None:
    def any_rank() -> tuple[dict[str, Any], dict[str, Any]]:
        x = v1.placeholder(tf.float32, None, name="x")
        return {"x": x}, {"y": x * v1.get_variable("scale", ())}

    save(tmp_path / "net", any_rank, {"x": X})
    with pytest.raises(SourceError, match=r"Input 'x' of .* has no known number of axes"):
        load_source(tmp_path / "net")


def test_a_signature_of_a_saved_model_of_tensorflow_1_is_chosen(tmp_path: Path) -> None:
    save(tmp_path / "net", normalized, {"pixels/x": X}, key="predict_images")
    options = SourceOptions(input_shapes={}, signature="predict_images")
    assert list(load_source(tmp_path / "net", options).run({"pixels_x": X})) == ["best", "scores"]
