"""What the firmware of a Raspberry Pi said about a block is beside it in the results.

The firmware is a script named vcgencmd on PATH.
"""

from __future__ import annotations

import json
import os

import jsonschema
import numpy as np
import small_artifacts
from conftest import ROOT
from ssh_server import write_script

from edgekit.bench.request import BenchRequest
from edgekit.bench.run import run_bench
from edgekit.forms import from_form
from edgekit.inspect.subject import Subject
from edgekit.results.plan import BenchPlan
from edgekit.results.results import Results
from edgekit_runtimes.protocol.job import Plan

SHORT = BenchPlan("short", 1, Plan(warmup_s=0.0, block_s=0.0, rounds=1, min_runs=4))
FIRMWARE = 'case $1 in measure_temp) echo "temp=51.5\'C" ;; *) echo throttled=0x50000 ;; esac'


def measured(folder):
    """Return what a bench of one small artifact on the host leaves behind."""
    samples = small_artifacts.inputs(2)
    np.save(folder / "golden.npy", samples)
    path = small_artifacts.write_tflite(folder / "fp32.tflite")
    request = BenchRequest(
        bundle="small",
        subjects=[Subject("tflite/fp32", "tflite", "fp32", path, 1)],
        inputs={"x": str(folder / "golden.npy")},
        golden={"class": small_artifacts.answers(samples)},
        plan=SHORT,
    )
    return run_bench(request)


def test_measured_blocks_carry_the_readings_before_and_after_them(tmp_path, monkeypatch):
    write_script(tmp_path / "firmware" / "vcgencmd", FIRMWARE)
    monkeypatch.setenv("PATH", str(tmp_path / "firmware"), prepend=os.pathsep)
    results = measured(tmp_path)
    form = results.to_json()
    schema = json.loads((ROOT / "edgekit" / "results" / "results.schema.json").read_text())
    jsonschema.validate(form, schema)
    assert from_form(json.loads(json.dumps(form)), Results) == results
    warmup, *blocks = results.rows[0].blocks
    assert (warmup.phase, warmup.conditions) == ("warmup", None)
    assert len(blocks) == 2
    for block in blocks:
        for reading in (block.conditions["before"], block.conditions["after"]):
            assert (reading["throttled"], reading["temperature_c"]) == ("0x50000", 51.5)


def test_elsewhere_blocks_have_no_readings(tmp_path):
    results = measured(tmp_path)
    assert all(block.conditions is None for block in results.rows[0].blocks)
    assert not any("conditions" in block for block in results.to_json()["rows"][0]["blocks"])
