"""A bench in real browsers: rows with the back end, the download and what drew."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import browsers
import jsonschema
import pytest
from conftest import Answer
from steps import beside_steps

from edgekit.bench.request import bench_request
from edgekit.bench.run import run_bench
from edgekit.bundle.bundle import load_bundle
from edgekit.forms import from_form
from edgekit.report.lines import heading
from edgekit.results import results as results_module
from edgekit.results.plan import BenchPlan
from edgekit.results.results import Results, Row
from edgekit_runtimes.protocol.job import Plan

pytestmark = pytest.mark.browser

Cli = Callable[..., Answer]

SCHEMA = json.loads((Path(results_module.__file__).parent / "results.schema.json").read_text())
# Enough to go through every step; far too little to claim anything.
SHORT = BenchPlan("short", 1, Plan(warmup_s=0.0, block_s=0.01, rounds=2, min_runs=8))
FLOAT = 1e-4
ARTIFACTS = ("tflite/fp32", "tflite/int8-weights", "tfjs/fp32", "tfjs/int8-weights", "onnx/int8")


@pytest.fixture(autouse=True)
def _chromium() -> None:
    browsers.need("chromium")


@pytest.fixture(scope="module")
def small_bundle(digits_with: Callable[..., Path]) -> Path:
    return digits_with(ARTIFACTS)


@pytest.fixture(scope="module")
def results(small_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Three formats on two back ends."""
    work = tmp_path_factory.mktemp("work")
    devices = ("browser:wasm", "browser:webgl")
    request = bench_request(load_bundle(small_bundle), work, devices)
    return run_bench(replace(request, plan=SHORT))


def row(results: Results, device: str, name: str) -> Row:
    return next(row for row in results.rows if (row.device, row.id) == (device, name))


@pytest.mark.parametrize("name", ["tfjs/fp32", "tfjs/int8-weights", "tflite/int8-weights"])
def test_what_a_page_measures_is_a_row_with_the_way_to_it(results: Results, name: str) -> None:
    fine = row(results, "browser:wasm", name)
    assert (fine.status, fine.backend) == ("ok", "wasm")
    assert fine.engine == {"tfjs": "tfjs", "tflite": "litertjs"}[fine.format]
    assert [len(times) for times in (fine.download_ns, fine.start_ns, fine.load_ns)] == [1, 1, 1]
    assert fine.statistics is not None
    assert fine.statistics.runs >= SHORT.worker.min_runs
    assert fine.fidelity is not None
    assert fine.fidelity.samples == results.samples
    assert (fine.ratio_to_fp32 is None) == (fine.recipe == "fp32")


def test_fp32_in_a_page_is_the_original_to_the_last_digits(results: Results) -> None:
    for name in ("tfjs/fp32", "tflite/fp32"):
        fidelity = row(results, "browser:wasm", name).fidelity
        assert fidelity is not None
        assert fidelity.max_abs_error <= FLOAT


def test_what_a_runtime_cannot_do_is_a_row_with_its_reason(results: Results) -> None:
    missing = row(results, "browser:webgl", "tflite/fp32")
    assert missing.status == "not available"
    assert missing.reason is not None
    assert missing.reason.startswith("LiteRT.js has no WebGL back end")
    refused = row(results, "browser:webgl", "onnx/int8")
    assert (refused.status, refused.backend) == ("failed", "webgl")
    assert refused.reason is not None
    assert "DequantizeLinear" in refused.reason
    assert row(results, "browser:webgl", "tfjs/fp32").status == "ok"


def test_the_renderer_is_part_of_the_result_and_labelled(results: Results) -> None:
    environment = results.environments["browser:webgl"]
    assert "llvmpipe" in environment["renderer"]
    assert re.fullmatch(
        r"browser:webgl: Chromium \d+, llvmpipe \(software renderer\), 1 thread; .*tfjs 4.*",
        heading("browser:webgl", results),
    )


def test_the_results_fit_their_schema(results: Results) -> None:
    form = json.loads(json.dumps(results.to_json()))
    jsonschema.Draft202012Validator(SCHEMA).validate(form)
    assert from_form(form, Results) == results


def test_engine_narrows_the_artifacts_on_every_device(small_bundle: Path, tmp_path: Path) -> None:
    engines = ("litert", "litertjs")
    bundle = load_bundle(small_bundle)
    request = bench_request(bundle, tmp_path, ("host", "browser:wasm"), engines=engines)
    measured = run_bench(replace(request, plan=SHORT))
    assert [(row.device, row.id, row.engine) for row in measured.rows] == [
        (device, f"tflite/{recipe}", engine)
        for device, engine in (("host", "litert"), ("browser:wasm", "litertjs"))
        for recipe in ("fp32", "int8-weights")
    ]


# --- The command line -----------------------------------------------------------------------------


@pytest.fixture
def one_artifact(digits_with: Callable[..., Path]) -> Path:
    return digits_with(["tfjs/fp32"])


def start(bundle: Path, *words: str) -> subprocess.Popen[str]:
    """Start a bench in a browser, in a separate process group."""
    return subprocess.Popen(
        [sys.executable, "-m", "edgekit", "bench", str(bundle), "--on", "browser:wasm", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "TMPDIR": str(bundle.parent)},
    )


@pytest.mark.parametrize("whole_group", [True, False])
@pytest.mark.parametrize("moment", [browsers.RENDERER, "playwright"])
def test_ctrl_c_leaves_no_browser_and_no_file_behind(
    one_artifact: Path, whole_group: bool, moment: str
) -> None:
    process = start(one_artifact)
    browsers.child(moment, process.pid)
    children = browsers.below(process.pid)
    folders = browsers.folders(children)
    assert folders or moment != browsers.RENDERER
    # A terminal sends it to all processes of the group.
    (os.killpg if whole_group else os.kill)(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=browsers.PATIENCE_S)
    assert (process.returncode, out, beside_steps(err)) == (130, "", "\nInterrupted.\n")
    browsers.wait_for(lambda: not any(Path(f"/proc/{child}").exists() for child in children))
    # What a dying browser writes last goes with the guard, which outlives the command by a moment.
    browsers.wait_for(lambda: not any(folder.exists() for folder in folders))
    browsers.wait_for(lambda: [*one_artifact.parent.iterdir()] == [one_artifact])


def test_a_page_that_somebody_opens_is_measured_as_well(one_artifact: Path) -> None:
    process = start(one_artifact, "--browser", "none", "--json")
    assert process.stderr is not None
    while not process.stderr.readline().endswith("keep it in front:\n"):
        assert process.poll() is None
    url = process.stderr.readline().strip()
    profile = one_artifact.parent / "profile"
    flags = ["--headless", "--no-sandbox", "--no-first-run", f"--user-data-dir={profile}"]
    page = subprocess.Popen(
        [str(shutil.which("chromium")), *flags, url],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        out, err = process.communicate(timeout=2 * browsers.PATIENCE_S)
    finally:
        os.killpg(page.pid, signal.SIGKILL)
        page.wait()
    assert (process.returncode, beside_steps(err)) == (0, "")
    (only,) = from_form(json.loads(out), Results).rows
    assert (only.id, only.status, only.backend) == ("tfjs/fp32", "ok", "wasm")
