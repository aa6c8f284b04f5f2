"""The inner tensors of artifacts beside those of the frozen graph."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edgekit.bundle.golden import GoldenSamples
from edgekit.convert.answers import artifact_answers, ready_samples
from edgekit.convert.differing import first_differing, inner_levels
from edgekit_converters.formats import format_writer
from edgekit_converters.inner.frozen import FrozenValues
from edgekit_runtimes.devices import open_device
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.tensors import Preprocessing


@pytest.mark.parametrize("quantization", ["fp32", "fp16"])
@pytest.mark.parametrize("name", ["tflite", "tfjs", "onnx"])
def test_the_inner_tensors_of_a_right_artifact_are_those_of_the_frozen_graph(
    graphs: Callable[[str], Any], tmp_path: Path, name: str, quantization: str
) -> None:
    graph = graphs("conv_net")
    np.save(tmp_path / "image.npy", np.random.default_rng(0).uniform(0, 255, (1, 28, 28, 1)))
    files = {"image": tmp_path / "image.npy"}
    sample = GoldenSamples(graph.input_specs, files, {}, Preprocessing())
    values = FrozenValues(graph, next(ready_samples(sample)))
    path = tmp_path / FORMATS[name].path("float")
    path.parent.mkdir()
    writer = format_writer(name)
    writer.write(writer.prepare(graph), quantization, path, None, "float", "low")
    least = 100 if quantization == "fp32" else 40
    with open_device("host") as device:

        def run(copy: Path) -> Any:
            return artifact_answers(copy, name, {}, sample, device)

        levels = inner_levels(name, path, values, run)
        # Of the twelve layers five and more are fused into those before them.
        assert len(levels) >= 7
        assert {one.name: one.sqnr_db for one in levels.values() if one.sqnr_db < least} == {}
        assert first_differing(name, path, values, least, run) is None
    assert [file.name for file in path.parent.iterdir()] == [path.name]
