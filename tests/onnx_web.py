"""The pages' own onnxruntime-web, run in Node."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsers import need

from edgekit_runtimes.tensors import Arrays

RUN = Path(__file__).parent / "converters" / "onnx" / "node" / "run.mjs"
MODULES = Path(__file__).parents[1] / "web" / "node_modules"


def run_models(models: Sequence[Any], job: Path) -> list[Arrays]:
    """Return the outputs of ONNX files. models: as run.mjs takes them. job: a file for them."""
    need("node")
    if not MODULES.exists():
        pytest.fail("onnxruntime-web is not installed: make web")
    job.write_text(json.dumps({"models": models}))
    answer = subprocess.run(["node", str(RUN), str(job)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    told = [json.loads(line) for line in answer.stdout.splitlines() if line.startswith("{")]
    assert [one["error"] for one in told if "error" in one] == []
    return [{name: _array(form) for name, form in one["outputs"].items()} for one in told]


def _array(form: Any) -> np.ndarray:
    array = np.frombuffer(base64.b64decode(form["data"]), form["dtype"])
    return array.reshape(form["shape"])
