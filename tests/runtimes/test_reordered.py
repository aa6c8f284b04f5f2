"""Artifacts whose tensors have another order of axes than the bundle's."""

import numpy as np
import pytest

from edgekit_runtimes.errors import EngineError
from edgekit_runtimes.reordered import in_bundle_order, inverse
from edgekit_runtimes.tensors import TensorSpec

ORDER = (0, 3, 1, 2)


class Doubled:
    """A model that doubles images with their channels first."""

    inputs = (TensorSpec("image", (None, 3, 4, 5), "float32"), TensorSpec("scale", (1,), "float32"))
    outputs = (TensorSpec("mask", (None, 3, 4, 5), "float32"),)

    def run(self, inputs):
        assert inputs["image"].shape == (1, 3, 4, 5)
        assert inputs["image"].flags.c_contiguous
        return {"mask": inputs["image"] * inputs["scale"]}

    def bind(self, inputs):
        return lambda: self.run(inputs)


def test_every_artifact_is_handed_the_bundles_sample_and_answers_in_its_order():
    model = in_bundle_order(Doubled(), {"image": ORDER, "mask": ORDER})
    assert [spec.shape for spec in (*model.inputs, *model.outputs)] == [
        *((None, 4, 5, 3), (1,), (None, 4, 5, 3)),
    ]
    image = np.random.default_rng(0).random((1, 4, 5, 3), np.float32)
    sample = {"image": image, "scale": np.float32([2])}
    assert np.array_equal(model.run(sample)["mask"], 2 * image)
    # What is timed gives the artifact's own order: reordering is no part of its time.
    assert model.bind(sample)()["mask"].shape == (1, 3, 4, 5)
    assert model.execution() is None


def test_a_model_without_another_order_is_left_alone():
    model = Doubled()
    assert in_bundle_order(model, None) is in_bundle_order(model, {}) is model


def test_axes_that_do_not_fit_are_an_error_of_the_artifact():
    with pytest.raises(EngineError, match=r"Axes \[0, 2, 1\] do not fit image: float32"):
        in_bundle_order(Doubled(), {"image": [0, 2, 1]})


def test_the_inverse_undoes_an_order():
    x = np.zeros((2, 3, 4, 5))
    assert x.transpose(ORDER).transpose(inverse(ORDER)).shape == x.shape
