"""TF.js graph models that edgekit would not have written: older, fused or stored otherwise."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tfjs_by_hand import node, write_tfjs

from edgekit_converters.sources import load_source, source_hash
from edgekit_converters.tfjs.weights import decode
from edgekit_runtimes.errors import SourceError, UsageError

IMAGE = ([-1, 8, 8, 3], "float32")
STRIDES = {"list": {"i": ["1", "2", "2", "1"]}}


def fused(steps: list[str], *inputs: str) -> dict[str, Any]:
    """Return a convolution, stride 2, with what is fused into it."""

    return node(
        "y",
        "_FusedConv2D",
        "x",
        *inputs,
        T="float32",
        strides=STRIDES,
        padding={"s": base64.b64encode(b"SAME").decode()},
        fused_ops={"list": {"s": [base64.b64encode(step.encode()).decode() for step in steps]}},
        num_args={"i": str(len(inputs) - 1)},
    )


def weights(*names: str) -> dict[str, Any]:
    generator = np.random.default_rng(0)
    sizes = {"kernel": (3, 3, 3, 4), "bias": (4,), "alpha": (4,)}
    return {name: generator.standard_normal(sizes[name]).astype(np.float32) for name in names}


def agrees(folder: Path, names: tuple[str, ...] = ("x", "y")) -> None:
    """Assert that a source's graph answers as TF.js itself does."""
    source = load_source(folder)
    specs = (*source.graph.input_specs, *source.graph.output_specs)
    assert tuple(spec.name for spec in specs) == names
    inputs = {names[0]: np.random.default_rng(1).standard_normal((1, 8, 8, 3)).astype(np.float32)}
    expected = source.run(inputs)
    for name, array in source.frozen().run(inputs).items():
        np.testing.assert_allclose(array, expected[name], atol=1e-5)


@pytest.mark.parametrize(
    ("steps", "inputs"),
    [
        (["BiasAdd", "Prelu"], ("kernel", "bias", "alpha")),
        (["BiasAdd", "Elu"], ("kernel", "bias")),
        (["BiasAdd"], ("kernel", "bias")),
    ],
)
def test_what_is_fused_into_a_convolution_is_taken_apart(
    tmp_path: Path, steps: list[str], inputs: tuple[str, ...]
) -> None:
    output = ([-1, 4, 4, 4], "float32")
    write_tfjs(
        tmp_path / "net", [fused(steps, *inputs)], {"x": IMAGE}, {"y": output}, weights(*inputs)
    )
    agrees(tmp_path / "net")


def test_what_else_is_fused_is_refused_by_name(tmp_path: Path) -> None:
    made = [fused(["BiasAdd", "Sparkle"], "kernel", "bias")]
    write_tfjs(tmp_path / "net", made, {"x": IMAGE}, {"y": IMAGE}, weights("kernel", "bias"))
    with pytest.raises(
        SourceError,
        match=r"'y' \(_FusedConv2D\) fuses BiasAdd, Sparkle, which edgekit does not read\.",
    ):
        load_source(tmp_path / "net")


def test_an_old_file_has_no_signature_and_64_bit_integers_that_are_stored_in_32(
    tmp_path: Path,
) -> None:
    axes = node("y", "Mean", "x", "axes", T="float32", Tidx={"type": "DT_INT64"})
    constants = {"axes": np.array([1, 2], np.int32)}
    write_tfjs(tmp_path / "net", [axes], {"x": IMAGE}, {"y": ([-1, 3], "float32")}, constants)
    main = tmp_path / "net" / "model.json"
    model = json.loads(main.read_text())
    del model["signature"], model["format"]
    main.write_text(json.dumps(model))
    agrees(main)


def test_integers_that_are_stored_in_fewer_bits_are_rounded_and_no_quantization(
    tmp_path: Path,
) -> None:
    storage = {"dtype": "uint8", "scale": 0.999, "min": 0.0}
    entry = {"name": "ids", "shape": [3], "dtype": "int32", "quantization": storage}
    np.testing.assert_array_equal(decode(entry, bytes([1, 2, 100])), [1, 2, 100])


def test_floats_that_are_stored_as_integers_are_refused(tmp_path: Path) -> None:
    write_tfjs(
        tmp_path / "net",
        [node("y", "AddV2", "x", "one", T="float32")],
        {"x": IMAGE},
        {"y": IMAGE},
        {"one": np.ones(3, np.float32)},
    )
    main = tmp_path / "net" / "model.json"
    model = json.loads(main.read_text())
    entry = model["weightsManifest"][0]["weights"][0]
    storage = {"dtype": "uint8", "scale": 1.0, "min": 0.0}
    entry.update(dtype="float32", quantization=storage)
    main.write_text(json.dumps(model))
    with pytest.raises(UsageError, match="is quantized already: bring the float model"):
        load_source(tmp_path / "net")


def test_the_hash_is_that_of_the_model_s_own_files(tmp_path: Path) -> None:
    write_tfjs(tmp_path / "net", [node("y", "Relu", "x", T="float32")], {"x": IMAGE}, {"y": IMAGE})
    before = source_hash(tmp_path / "net")
    (tmp_path / "net" / "other.txt").write_text("not of the model")
    assert source_hash(tmp_path / "net") == source_hash(tmp_path / "net" / "model.json") == before
    (tmp_path / "net" / "weights.bin").write_bytes(b"other")
    assert source_hash(tmp_path / "net") != before
