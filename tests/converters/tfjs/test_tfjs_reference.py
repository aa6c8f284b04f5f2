"""The reference converter, tensorflowjs 4.22.0, as the oracle: same outputs on the same model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tfjs_tools import difference, noise, run_in_node

from edgekit_converters.tfjs.write import prepare, write

pytestmark = pytest.mark.slow

NAMES = ("conv_net", "dense_net", "two_in_two_out", "recurrent_net", "mbv2")
TOLERANCE = 1e-5


def read(folder):
    return json.loads((folder / "model.json").read_text())


def ops(folder):
    names = [node["op"] for node in read(folder)["modelTopology"]["node"]]
    return {op: names.count(op) for op in set(names) - {"Const", "Placeholder", "Identity"}}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, graphs):
    """Return ours and the reference's folder for each model."""
    root = tmp_path_factory.mktemp("reference")
    words, folders = [], {}
    for name in NAMES:
        ours, reference = root / name / "ours", root / name / "reference"
        write(prepare(graphs(name)), "fp32", ours)
        words += [graphs(name).save(root / name / "saved_model"), reference]
        folders[name] = (ours, reference)
    answer = subprocess.run(
        [sys.executable, Path(__file__).with_name("reference.py"), *words],
        capture_output=True,
        text=True,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return folders


def test_tfjs_computes_the_same_from_ours_and_from_the_references(tmp_path, graphs, folders):
    models = [
        (folder, noise(graphs(name), 1), list(read(folder)["signature"]["outputs"]))
        for name in NAMES
        for folder in folders[name]
    ]
    answers = run_in_node(tmp_path, models)
    for name, ours, reference in zip(NAMES, answers[::2], answers[1::2], strict=True):
        assert difference(ours, reference) < TOLERANCE, name


def test_ours_has_no_more_ops_to_run_than_the_references(folders):
    for name in NAMES:
        ours, reference = map(ops, folders[name])
        assert sum(ours.values()) <= sum(reference.values()), name
    ours, reference = map(ops, folders["mbv2"])
    assert (sum(ours.values()), reference["Mul"], reference["DepthwiseConv2dNative"]) == (
        68,
        17,
        17,
    )
