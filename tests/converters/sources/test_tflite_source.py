"""TFLite files of other tools, as the LiteRT quantizer and the importer get them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tflite_by_hand
from ai_edge_litert import schema_py_generated as schema

from edgekit_converters.formats import format_writer
from edgekit_converters.sources import Source, SourceOptions, load_source
from edgekit_converters.sources.tflite.file import GivenFile
from edgekit_converters.tflite.tree import Tree
from edgekit_runtimes.engines import litert
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.tensors import Arrays

CODES = schema.BuiltinOperator


class _Two(tf.Module):  # type: ignore[misc]
    """Two functions of one kernel, each a signature with a graph of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.kernel = tf.Variable(tf.reshape(tf.range(12.0) / 12, (4, 3)))

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="x")])
    def product(self, x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"y": tf.nn.relu(x @ self.kernel)}

    @tf.function(input_signature=[tf.TensorSpec((1, 4), tf.float32, name="u")])
    def twice(self, u: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"v": tf.nn.softmax(u @ self.kernel) * 2}


@pytest.fixture(scope="module")
def two_signatures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the signatures "product" and "twice"."""
    folder = tmp_path_factory.mktemp("two")
    module = _Two()
    signatures = {"product": module.product, "twice": module.twice}
    tf.saved_model.save(module, str(folder / "saved"), signatures=signatures)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / "saved"))
    path = folder / "two.tflite"
    path.write_bytes(converter.convert())
    return path


def own(source: Source, folder: Path, inputs: Arrays) -> Arrays:
    """Write the TFLite file that a source is by itself, and run it."""
    (folder / "own.tflite").write_bytes(source.own["tflite"].make())
    return litert.load(folder / "own.tflite", {}).run(inputs)


def same(found: Arrays, expected: Arrays) -> None:
    """Assert that two sets of outputs are the same to the last bit."""
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(("signature", "name"), [("product", "x"), ("twice", "u")])
def test_each_of_several_signatures_can_be_taken(
    two_signatures: Path, tmp_path: Path, signature: str, name: str
) -> None:
    source = load_source(two_signatures, SourceOptions({}, signature=signature))
    inputs = {name: np.array([[1, -2, 3, 4]], np.float32)}
    expected = source.run(inputs)
    same(own(source, tmp_path, inputs), expected)
    graph = source.frozen()
    assert [spec.name for spec in graph.input_specs] == [name]
    for output, array in graph.run(inputs).items():
        np.testing.assert_allclose(array, expected[output], atol=1e-6)
    assert len(Tree(source.own["tflite"].make()).model.subgraphs) == 1


def test_an_unknown_signature_is_refused_with_those_that_there_are(two_signatures: Path) -> None:
    with pytest.raises(UsageError, match=r"Unknown signature 'third'\. .*Known: "):
        GivenFile(two_signatures, "third")


def test_without_a_signature_the_tensors_names_are_taken(tmp_path: Path) -> None:
    tflite_by_hand.write_recurrent(tmp_path / "net.tflite")
    source = load_source(tmp_path / "net.tflite")
    assert [spec.name for spec in source.graph.input_specs] == ["x"]
    inputs = {"x": np.array([[1, 2]], np.float32)}
    same(own(source, tmp_path, inputs), source.run(inputs))


def test_an_output_that_is_read_inside_gets_a_copy(tmp_path: Path) -> None:
    tflite_by_hand.write_reordered(tmp_path / "net.tflite")
    source = load_source(tmp_path / "net.tflite")
    inputs = {"x": np.array([[1, 2]], np.float32)}
    same(own(source, tmp_path, inputs), {"negative": -inputs["x"], "same": inputs["x"]})
    tree = Tree(source.own["tflite"].make())
    (graph,) = tree.model.subgraphs
    assert not set(graph.outputs) & set(tree.readers(graph))


def test_float16_weights_are_the_same_numbers_in_32_bits(
    graphs: Callable[[str], object], tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    given = tflite_files("conv_net")
    half = tmp_path / "half.tflite"
    format_writer("tflite").write(given.read_bytes(), "fp16", half, None, "float", "low")
    source = load_source(half)
    inputs = {"image": np.random.default_rng(0).random((1, 28, 28, 1), np.float32)}
    same(own(source, tmp_path, inputs), source.run(inputs))
    tree = Tree(source.own["tflite"].make())
    codes = {tree.code(one) for graph in tree.model.subgraphs for one in graph.operators}
    assert CODES.DEQUANTIZE not in codes
    assert source.notes == (
        "the weights are float16 in the file: the fp32 artifact holds the same numbers in 32 bits",
    )


def test_a_file_of_ours_comes_back_with_the_same_bits_and_no_more_operators(
    tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    given = tflite_files("two_in_two_out")
    source = load_source(given)
    generator = np.random.default_rng(0)
    inputs = {
        "image": generator.random((1, 16, 16, 3), np.float32),
        "meta": generator.random((1, 5), np.float32),
    }
    assert source.own["tflite"].make() == given.read_bytes()
    writer = format_writer("tflite")
    content = writer.prepare(source.frozen())
    writer.write(content, "fp32", tmp_path / "back.tflite", None, "float", "low")
    same(litert.load(tmp_path / "back.tflite", {}).run(inputs), source.run(inputs))
    (before,), (after,) = (Tree(one).model.subgraphs for one in (given.read_bytes(), content))
    assert len(after.operators) <= len(before.operators)


def test_gelu_reaches_the_other_formats(tmp_path: Path) -> None:
    @tf.function(input_signature=[tf.TensorSpec((1, 6), tf.float32, name="x")])
    def both(x: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"exact": tf.nn.gelu(x), "near": tf.nn.gelu(x - 1, approximate=True)}

    converter = tf.lite.TFLiteConverter.from_concrete_functions([both.get_concrete_function()])
    (tmp_path / "net.tflite").write_bytes(converter.convert())
    assert "GELU" in GivenFile(tmp_path / "net.tflite", None).operators()
    source = load_source(tmp_path / "net.tflite")
    inputs = {
        spec.name: np.linspace(-3, 3, 6, dtype=np.float32)[None]
        for spec in source.graph.input_specs
    }
    expected = source.run(inputs)
    for name, array in source.frozen().run(inputs).items():
        np.testing.assert_allclose(array, expected[name], atol=1e-5)
