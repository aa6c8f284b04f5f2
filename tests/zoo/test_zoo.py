"""A part of the zoo that takes seconds, and what `make test-zoo` needs to be true of all of it."""

from __future__ import annotations

from zoo.cases import all_cases
from zoo.coverage import uncovered, uncovered_families

# One of each kind of layer, in one model.
PLAIN = (
    "Convolutions: Conv2D data_format=channels_first",
    "Convolutions: Conv2DTranspose dilation_rate=2",
)


def test_every_layer_of_keras_and_every_family_is_in_the_zoo() -> None:
    assert uncovered(all_cases()) == []
    assert uncovered_families() == []
