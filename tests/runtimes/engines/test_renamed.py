"""Artifacts whose tensors have other names than the bundle's."""

import numpy as np

from edgekit_runtimes.engines.renamed import in_bundle_names
from edgekit_runtimes.tensors import TensorSpec

NAMES = {"inputs": {"in:0": "x"}, "outputs": {"out/0": "x"}}


class Doubled:
    inputs = (TensorSpec("in:0", (1, 2), "float32"), TensorSpec("scale", (1,), "float32"))
    outputs = (TensorSpec("out/0", (1, 2), "float32"),)

    def run(self, inputs):
        return {"out/0": inputs["in:0"] * inputs["scale"]}

    def bind(self, inputs):
        return lambda: self.run(inputs)


def test_tensors_go_by_the_bundles_names():
    model = in_bundle_names(Doubled(), NAMES)
    assert [spec.name for spec in (*model.inputs, *model.outputs)] == ["x", "scale", "x"]
    sample = {"x": np.float32([[1, 2]]), "scale": np.float32([2])}
    assert model.run(sample)["x"].tolist() == [[2, 4]]
    # What is timed answers by the artifact's own names.
    assert model.bind(sample)()["out/0"].tolist() == [[2, 4]]
    assert model.execution() is None


def test_a_model_that_has_these_names_is_left_alone():
    model = Doubled()
    assert in_bundle_names(model, None) is in_bundle_names(model, {}) is model
