"""`edgekit verify`: what was changed in a bundle is named."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from conftest import Answer


def test_each_member_that_is_not_as_it_was_made_is_named(
    cli: Callable[..., Answer], bundles: Callable[..., Path], tmp_path: Path
) -> None:
    made = bundles("dense_net", "--recipe", "fp32,int8", "--io", "int8")
    bundle = Path(shutil.copytree(made, tmp_path / "net.edgekit"))
    answer = cli("verify", bundle)
    assert (answer.exit_code, answer.err) == (0, "")
    lines = dict(line.split(": ", 1) for line in answer.out.splitlines())
    assert lines["golden/inputs"] == lines["golden/outputs"] == "as it was made"
    assert set(lines.values()) == {"as it was made"}

    flipped = bundle / "tflite/fp32.tflite"
    content = bytearray(flipped.read_bytes())
    content[-1] ^= 1
    flipped.write_bytes(content)
    (bundle / "onnx/fp32.onnx").unlink()
    (bundle / "tfjs/fp32/extra.bin").touch()
    outputs = bundle / "golden/outputs/class.npy"
    np.save(outputs, np.load(outputs) + 1)
    answer = cli("verify", bundle, "--json")
    assert answer.exit_code == 3
    faults = {one["member"]: one["fault"] for one in json.loads(answer.out) if one["fault"]}
    assert faults.pop("golden/outputs").startswith("The original's outputs in ")
    assert faults == {
        "tflite/fp32.tflite": "its SHA-256 is another",
        "onnx/fp32.onnx": "it is missing",
        "tfjs/fp32": "its SHA-256 is another",
    }
