import numpy as np
import pytest

from edgekit_converters.graph.modifiers.prune import MIN_ELEMENTS, kernel_names, prune


@pytest.mark.parametrize("percent", [10, 50, 90])
def test_exactly_the_smallest_share_of_each_kernel_becomes_zero(graphs, percent):
    graph = graphs("conv_net")
    before, after = graph.constants(), prune(graph, percent).constants()
    assert kernel_names(graph)
    for name in kernel_names(graph):
        zeroed = (after[name] == 0) & (before[name] != 0)
        assert zeroed.sum() == before[name].size * percent // 100
        kept = ~zeroed
        np.testing.assert_array_equal(after[name][kept], before[name][kept])
        assert np.abs(before[name][zeroed]).max() <= np.abs(before[name][kept]).min()


def test_depthwise_kernels_biases_and_small_tensors_stay(graphs):
    graph = graphs("conv_net")
    before, after = graph.constants(), prune(graph, 90).constants()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == set(kernel_names(graph))
    assert all(before[name].size >= MIN_ELEMENTS for name in changed)
    assert not any("depthwise" in name for name in changed)
    sizes = sorted(array.size for array in before.values())
    assert sizes[-len(changed) - 1] < MIN_ELEMENTS


def test_dense_kernels_are_pruned_too(graphs):
    graph = graphs("dense_net")
    shapes = sorted(graph.constants()[name].shape for name in kernel_names(graph))
    assert shapes == [(64, 128), (128, 64)]


def test_the_graph_that_was_given_is_left_as_it_was(graphs):
    graph = graphs("dense_net")
    before = graph.constants()
    prune(graph, 50)
    for name, array in graph.constants().items():
        np.testing.assert_array_equal(array, before[name])
