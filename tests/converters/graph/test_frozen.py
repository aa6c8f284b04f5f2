import gc
from pathlib import Path

import keras
import models
import numpy as np
import pytest
import tensorflow as tf

from edgekit_converters.graph.frozen import SIGNATURE_KEY
from edgekit_converters.sources.keras.load import from_model

NAMES = ("conv_net", "dense_net", "two_in_two_out", "recurrent_net", "grouped_net")


@pytest.mark.parametrize("name", NAMES)
def test_the_frozen_graph_answers_as_the_model_does(graphs, name):
    model = getattr(models, name)()
    inputs = models.random_inputs(model, 1)
    outputs = graphs(name).run(inputs)
    expected = model(list(inputs.values()) if len(inputs) > 1 else next(iter(inputs.values())))
    expected = expected if isinstance(expected, list) else [expected]
    for spec, array in zip(graphs(name).output_specs, expected, strict=True):
        np.testing.assert_allclose(outputs[spec.name], array, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_no_variable_is_left_in_the_graph(graphs, name):
    ops = {node.op for node in graphs(name).graph_def.node}
    assert not ops & {"VarHandleOp", "ReadVariableOp", "PartitionedCall", "StatefulPartitionedCall"}


@pytest.mark.parametrize("name", NAMES)
def test_the_saved_graph_has_one_signature_with_the_names_of_the_graph(graphs, name, tmp_path):
    graph = graphs(name)
    loaded = tf.saved_model.load(str(graph.save(tmp_path / "saved")))
    assert list(loaded.signatures) == [SIGNATURE_KEY]
    signature = loaded.signatures[SIGNATURE_KEY]
    inputs = signature.structured_input_signature[1]
    assert set(inputs) == {spec.name for spec in graph.input_specs}
    assert set(signature.structured_outputs) == {spec.name for spec in graph.output_specs}
    for spec in graph.input_specs:
        assert tuple(inputs[spec.name].shape) == spec.shape


def test_the_batch_stays_free_and_is_fixed_only_for_loops(graphs):
    assert graphs("conv_net").input_specs[0].shape == (None, 28, 28, 1)
    assert graphs("recurrent_net").input_specs[0].shape == (1, 10, 6)


def test_editing_a_constant_changes_the_copy_and_not_the_graph(graphs):
    graph = graphs("dense_net")
    name = max(graph.constants(), key=lambda key: graph.constants()[key].size)
    edited = graph.with_constants({name: np.zeros_like(graph.constants()[name])})
    assert not edited.constants()[name].any()
    assert graph.constants()[name].any()


def test_freezing_keeps_few_copies_of_the_weights():
    side = 4096
    x = keras.Input((side,), name="x")
    model = keras.Model(x, keras.layers.Dense(side, use_bias=False)(x))
    gc.collect()
    before = memory_of_this_process()
    source = from_model(model)
    # One in the graph, and one in the arrays that it was made from. It was eight.
    assert memory_of_this_process() - before < 4 * 4 * side * side
    assert source.graph.constants()


def memory_of_this_process():
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024
