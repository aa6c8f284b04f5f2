"""The operators: each answers as the cases that the onnx package ships say."""

from __future__ import annotations

import functools
from collections import defaultdict

import numpy as np
import pytest
from onnx_cases import NodeCase, node_cases

from edgekit_converters.sources.onnx.importing import ImportOptions, import_model
from edgekit_converters.sources.onnx.ops import operators
from edgekit_runtimes.errors import EdgekitError

CASES_EACH = 2
# What onnxruntime 1.31 itself cannot run, or runs otherwise than the standard says, by how the
# names begin. Imported models answer as onnxruntime does.
ODD_ORIGINALS = (
    *("test_bitshift", "test_div_", "test_gru_batchwise", "test_lstm_batchwise", "test_mod_"),
    *("test_pow_types_float32_uint", "test_resize_downsample_scales_cubic_align_corners"),
    *("test_resize_downsample_scales_linear_align_corners", "test_simple_rnn_batchwise"),
    *("test_spacetodepth_", "test_top_k_uint64"),
    # Their indices are floats, which onnxruntime rounds in a way of its own between integers.
    "test_onehot_with",
)
# What is refused in so many words.
REFUSED = {
    "test_averagepool_3d_dilations": "it has dilations over three axes",
    "test_batchnorm_epsilon_training": "it is being trained",
    "test_batchnorm_example_training": "it is being trained",
    "test_einsum_batch_diagonal": "it takes a diagonal",
    "test_lppool_2d_dilations": "it has dilations, or works over three axes",
    "test_lppool_3d": "it has dilations, or works over three axes",
    "test_lstm_with_peepholes": "peepholes",
    "test_maxpool_2d_uint8": "it pools integers",
    "test_maxpool_with_argmax": "it says where the largest numbers are",
    "test_resize_tf_crop_and_resize": "it cuts a region out",
    "test_scatter_elements_with_reduction_mul": "it reduces by 'mul'",
    "test_scatternd_multiply": "it reduces by 'mul'",
    "test_training_dropout": "it is being trained",
}
# No case has them with one operator and inputs that are fed.
WITHOUT_CASES = {
    *("Cast", "CastLike", "Constant", "ConstantOfShape", "GlobalLpPool", "Range"),
    *("SimplifiedLayerNormalization", "com.microsoft.FusedMatMul"),
}
POOLS = {"AveragePool", "LpPool", "MaxPool"}


@functools.cache
def all_cases(with_slow: bool) -> list[NodeCase]:
    return [case for case in node_cases(with_slow) if not case.name.startswith(ODD_ORIGINALS)]


def reason_of(case: NodeCase) -> str | None:
    return next((text for name, text in REFUSED.items() if case.name.startswith(name)), None)


def check(case: NodeCase) -> None:
    """Assert that the graph gives what the case expects."""
    imported = import_model(case.model, ImportOptions(fixed=case.fixed))
    axes = imported.axes
    given = {
        name: array.transpose(np.argsort(axes[name])) if name in axes else array
        for name, array in case.inputs.items()
    }
    found = imported.graph.run(given)
    for name, wanted in case.expected.items():
        array = found[name].transpose(axes[name]) if name in axes else found[name]
        assert array.dtype == wanted.dtype
        np.testing.assert_allclose(array, wanted, rtol=1e-3, atol=1e-5, err_msg=case.name)


def test_every_operator_has_a_case() -> None:
    with_cases = {case.op for case in all_cases(False)}
    assert operators().keys() - with_cases == WITHOUT_CASES | POOLS | {"BitShift", "Mod"}


def test_operators_answer_as_the_first_cases_of_each_say() -> None:
    by_op: dict[str, list[NodeCase]] = defaultdict(list)
    for case in all_cases(False):
        if reason_of(case) is None and len(by_op[case.op]) < CASES_EACH:
            by_op[case.op].append(case)
            check(case)
    assert len(by_op) > 120


@pytest.mark.slow
def test_operators_answer_as_all_cases_say_or_are_refused_with_the_reason() -> None:
    for case in all_cases(True):
        reason = reason_of(case)
        if reason is None:
            check(case)
        else:
            with pytest.raises(EdgekitError, match=reason):
                import_model(case.model, ImportOptions(fixed=case.fixed))
