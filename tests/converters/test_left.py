"""What is said of constants that a recipe leaves in floats."""

import pytest

from edgekit_converters.left import FloatConstant, check_changed, notes_of
from edgekit_runtimes.errors import NotAvailableError

KERNEL = FloatConstant((25, 10), ("Conv",))
TABLE = FloatConstant((500,), ("Gather",))
BIAS = FloatConstant((400,), ("Add",))


def test_what_stayed_in_floats_is_said_with_its_bytes_and_readers():
    assert notes_of([KERNEL, TABLE, BIAS], 10_000) == (
        "3,000 bytes of constants stayed in float32 (30% of the file): those of Gather, Conv",
    )


def test_less_than_a_tenth_of_the_file_is_not_worth_a_note():
    assert notes_of([KERNEL], 10_001) == ()
    assert len(notes_of([KERNEL], 10_000)) == 1


def test_biases_and_scales_are_no_weights_however_much_of_a_small_file_they_are():
    scales = FloatConstant((500, 1), ("GATHER",))
    assert notes_of([BIAS, scales], 2_000) == ()


def test_many_readers_are_counted():
    left = [FloatConstant((100, 100), (name,)) for name in ("Add", "Conv", "Mul", "Sub", "Div")]
    assert notes_of(left, 200_000)[0].endswith("those of Add, Conv, Mul and 2 more")


def test_a_recipe_that_changes_nothing_is_refused_with_what_there_is():
    check_changed([KERNEL, BIAS], [BIAS])
    with pytest.raises(NotAvailableError, match=r"^nothing to quantize: .* has 400 elements\)$"):
        check_changed([KERNEL, BIAS], [KERNEL, BIAS])
    with pytest.raises(NotAvailableError, match=r"^nothing to quantize: the model has no weights$"):
        check_changed([], [])
