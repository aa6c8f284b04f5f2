"""One signature for several artifacts."""

from pathlib import Path

import pytest

from edgekit.loose.signature import joined
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.tensors import TensorSpec

A, B = Path("a.tflite"), Path("b.onnx")


def spec(name, *shape, dtype="float32", quantization=None):
    return TensorSpec(name, shape, dtype, quantization)


def test_quantized_tensors_are_the_real_numbers_that_they_stand_for():
    quantized = spec("x", 1, 4, dtype="int8", quantization=(0.5, 3))
    signature = joined(A, [quantized], [spec("y", 1, 2)])
    assert signature.inputs == [spec("x", 1, 4)]
    assert signature.add(B, [spec("x", 1, 4)], [spec("y", 1, 2)]) == {}


def test_a_size_that_one_leaves_open_is_the_other_ones():
    signature = joined(A, [spec("x", None, None, 3)], [spec("y", None, 2)])
    signature.add(B, [spec("x", None, 16, 3)], [spec("y", None, 2)])
    assert signature.inputs == [spec("x", None, 16, 3)]


def test_tensors_go_by_their_names_and_else_by_their_places():
    given = [spec("a", 1, 2), spec("b", 1, 3)]
    signature = joined(A, given, [spec("y", 1)])
    assert signature.add(B, given[::-1], [spec("y", 1)]) == {}
    other = [spec("p", 1, 2), spec("q", 1, 3)]
    told = signature.add(B, other, [spec("z", 1)])
    assert told == {"names": {"inputs": {"p": "a", "q": "b"}, "outputs": {"z": "y"}}}


@pytest.mark.parametrize(
    ("mine", "theirs", "order"),
    [
        ((1, 8, 6, 3), (1, 3, 8, 6), [0, 3, 1, 2]),
        ((1, 3, 8, 6), (None, 8, 6, 3), [0, 2, 3, 1]),
        ((1, 16, 2), (1, 2, 16), [0, 2, 1]),
        ((1, 4, 5, 6, 2), (1, 2, 4, 5, 6), [0, 4, 1, 2, 3]),
    ],
)
def test_channels_may_be_first_or_last(mine, theirs, order):
    signature = joined(A, [spec("x", *mine)], [spec("y", *mine)])
    told = signature.add(B, [spec("x", *theirs)], [spec("y", *theirs)])
    assert told == {"axes": {"x": order, "y": order}}
    assert signature.axes == {"x": order, "y": order}
    assert signature.inputs == [spec("x", *mine)]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ([spec("x", 1, 5)], [spec("y", 1, 2)]),
        ([spec("x", 1, 4), spec("z", 1, 4)], [spec("y", 1, 2)]),
        ([spec("x", 1, 4)], [spec("y", 1, 2, dtype="int32")]),
        ([spec("x", 8, 4)], [spec("y", 8, 2)]),
    ],
)
def test_artifacts_that_take_or_give_something_else_are_refused(given, made):
    signature = joined(A, [spec("x", 1, 4)], [spec("y", 1, 2)])
    with pytest.raises(UsageError, match=r"b\.onnx.*Measure each on its own"):
        signature.add(B, given, made)
