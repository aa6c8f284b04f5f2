"""Browsers as devices: what goes wrong in a real one is an error event and never a hang."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import browsers
import numpy as np
import pytest
import small_artifacts
from jobs import check_events, of_kind, outputs_of, run_job, save_inputs
from ssh_server import write_script

from edgekit_runtimes.devices import Device, DeviceOptions, open_device
from edgekit_runtimes.devices.browser.backends import choose_engines
from edgekit_runtimes.devices.browser.device import Browser
from edgekit_runtimes.environment import describe_environment
from edgekit_runtimes.errors import DeviceError
from edgekit_runtimes.protocol.job import Event, Job, JobModel, Plan

pytestmark = pytest.mark.browser

QUICK = Plan(warmup_runs=1, warmup_s=0.0, block_s=0.0, rounds=1, min_runs=6)
# Longer than any test: it ends when something happens to the browser.
ENDLESS = Plan(warmup_s=0.0, block_s=0.05, rounds=10_000, min_runs=1)
SAMPLES = 4
NO_WEBGL = ("--disable-gpu", "--disable-software-rasterizer", "--disable-3d-apis")


@pytest.fixture(autouse=True)
def _chromium() -> None:
    browsers.need("chromium")


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, str]:
    """Samples for the small artifacts."""
    return save_inputs(tmp_path, x=small_artifacts.inputs(SAMPLES))


@pytest.fixture(scope="module")
def onnx(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small ONNX file, with operators that each back end has."""
    return small_artifacts.write_onnx(tmp_path_factory.mktemp("onnx") / "fp32.onnx")


@pytest.fixture
def digits(digits_bundle: Path, tmp_path: Path) -> Callable[..., Job]:
    """Make a job of digits artifacts on a back end."""

    def make(backend: str, *names: str, **more: Any) -> Job:
        models = tuple(
            model(name, digits_bundle / ARTIFACTS[name.split("/")[0]].format(name), backend)
            for name in names
        )
        samples = np.random.default_rng(3).uniform(0, 255, (SAMPLES, 28, 28, 1))
        return Job(models, save_inputs(tmp_path, image=samples.astype(np.float32)), **more)

    return make


ARTIFACTS = {"tflite": "{}.tflite", "onnx": "{}.onnx", "tfjs": "{}"}


def model(name: str, path: Path, backend: str | None) -> JobModel:
    """Return an artifact as a job names it, with the engine that the page has for it."""
    choice = choose_engines(name.split("/")[0], backend)[0]
    return JobModel(name, str(choice.module), str(path), {"backend": choice.backend, "threads": 1})


def error_in(events: list[Event], name: str | None) -> Event:
    """Return the one error event, which must be of that model."""
    (error,) = of_kind(events, "error")
    assert error["model"] == name
    return error


def until_broken(
    device: Device, job: Job, break_it: Callable[[], None], at: str = "block"
) -> list[Event]:
    """Run a job, break something at its first event of a kind, and return all events."""
    events = []
    pending: Callable[[], None] | None = break_it
    for event in device.run(job):
        events.append(event)
        if pending and event["event"] == at:
            pending()
            pending = None
    check_events(events)
    return events


def kill(word: str, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to those processes below this one whose command line has a word."""
    pids = [pid for pid, line in browsers.below(os.getpid()).items() if word in line]
    assert pids
    for pid in pids:
        os.kill(pid, number)


def works(device: Device, job: Job) -> bool:
    """Return whether a device does a job without an error."""
    kinds = {event["event"] for event in run_job(device, job)}
    return "done" in kinds and "error" not in kinds


def test_the_page_says_what_it_runs_on(onnx: Path, inputs: dict[str, str]) -> None:
    with open_device("browser:wasm") as device:
        job = Job((model("onnx/fp32", onnx, "wasm"),), inputs, plan=QUICK, outputs=SAMPLES)
        events = run_job(device, job)
    environment = events[0]
    assert environment["event"] == "environment"
    assert environment["platform"] == "browser"
    assert re.fullmatch(r"Chromium \d+[\d.]+", environment["browser"])
    assert environment["cross_origin_isolated"]
    assert environment["wasm_simd"]
    # V8's use of the CPU: of x86's instructions it takes AVX-VNNI's, of ARM's all.
    flags = describe_environment()["cpu_features"]
    assert environment["wasm_int8_dot_products"] == bool({"avx_vnni", "asimddp"} & set(flags))
    assert environment["clock_resolution_ns"] <= 10_000
    assert environment["cpu"]
    # What draws is asked only where something is drawn.
    assert not environment.keys() & {"renderer", "webgpu", "software_renderer"}
    (loaded,) = of_kind(events, "loaded")
    assert (loaded["engine"], loaded["engine_version"][0]) == ("ort-web", "1")
    assert loaded["download_ns"] > 0
    assert loaded["start_ns"] > 0
    answers = small_artifacts.answers(small_artifacts.inputs(SAMPLES))
    assert np.allclose(outputs_of(events, "onnx/fp32")["class"], answers, atol=1e-4)
    assert [event["phase"] for event in of_kind(events, "block")] == ["warmup", *["measure"] * 2]
    assert events[-1]["event"] == "done"


def test_without_egl_chromium_draws_with_swiftshader(
    onnx: Path, inputs: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job((model("onnx/fp32", onnx, "webgl"),), inputs, outputs=SAMPLES)
    with open_device("browser:webgl") as device:
        assert "llvmpipe" in run_job(device, job)[0]["renderer"]
    monkeypatch.setenv("__EGL_VENDOR_LIBRARY_FILENAMES", "/nowhere.json")
    with open_device("browser:webgl") as device:
        events = run_job(device, job)
    assert "SwiftShader" in events[0]["renderer"]
    assert events[0]["software_renderer"]
    assert of_kind(events, "outputs", "onnx/fp32")


def test_a_gpu_process_that_is_killed_is_an_error_and_never_a_fast_model(
    digits: Callable[..., Job],
) -> None:
    job = digits("webgl", "tfjs/fp32", plan=ENDLESS)
    with open_device("browser:webgl") as device:
        events = until_broken(device, job, lambda: kill(browsers.GPU_PROCESS))
        error_in(events, "tfjs/fp32")
        assert works(device, digits("webgl", "tfjs/fp32", plan=QUICK))


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (browsers.RENDERER, "the page crashed; often memory had run out"),
        # A flag of the browser's first process alone: a page killed before it would crash first.
        ("--password-store", "the browser ended"),
        # Playwright's own process.
        ("run-driver", "the page was closed, was reloaded, or crashed"),
    ],
)
def test_a_page_or_a_browser_that_dies_is_an_error_and_the_next_job_has_a_new_one(
    digits: Callable[..., Job], word: str, message: str
) -> None:
    with open_device("browser:wasm") as device:
        events = until_broken(device, digits("wasm", "tfjs/fp32", plan=ENDLESS), lambda: kill(word))
        assert error_in(events, "tfjs/fp32")["message"] == message
        assert works(device, digits("wasm", "tfjs/fp32"))


def test_a_browser_that_does_not_start_is_said_with_its_own_words(
    digits: Callable[..., Job], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_script(tmp_path / "bin" / "chromium", "echo No usable sandbox >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with open_device("browser:wasm") as device, pytest.raises(DeviceError) as caught:
        list(device.run(digits("wasm", "tfjs/fp32")))
    assert str(caught.value) == f"{tmp_path}/bin/chromium does not start: No usable sandbox"


def test_a_page_that_falls_silent_is_left(digits: Callable[..., Job]) -> None:
    with Browser("browser:wasm", silence_limit_s=5) as device:
        events = until_broken(
            device,
            digits("wasm", "tfjs/fp32", plan=ENDLESS),
            lambda: kill(browsers.RENDERER, signal.SIGSTOP),
        )
        message = error_in(events, "tfjs/fp32")["message"]
        assert message == "no sign of life for 5 s: the page was left"
        assert works(device, digits("wasm", "tfjs/fp32"))


def test_where_there_is_no_webgl_its_artifacts_are_errors_and_the_others_work(
    digits: Callable[..., Job], tmp_path: Path
) -> None:
    wrapper = browsers.write_wrapper(tmp_path / "no-webgl", *NO_WEBGL)
    with open_device("browser", DeviceOptions(str(wrapper))) as device:
        events = run_job(device, digits(None, "tfjs/fp32", "tflite/fp32", outputs=1))
    assert events[0]["renderer"] is None
    assert "WebGL" in error_in(events, "tfjs/fp32")["message"]
    assert of_kind(events, "outputs", "tflite/fp32")


def test_an_artifact_that_was_removed_is_an_error_that_names_it(
    digits: Callable[..., Job], tmp_path: Path
) -> None:
    gone = model("tflite/fp32", tmp_path / "gone.tflite", "wasm")
    job = digits("wasm", "tfjs/fp32", outputs=1)
    with open_device("browser:wasm") as device:
        events = run_job(device, Job((gone, *job.models), job.inputs, outputs=1))
    message = error_in(events, "tflite/fp32")["message"]
    assert message == f"{tmp_path}/gone.tflite could not be downloaded: the server answered 404"
    assert of_kind(events, "outputs", "tfjs/fp32")


def test_an_artifact_with_integer_inputs_is_an_error_that_says_so(
    tflite_files: Callable[..., Path], tmp_path: Path
) -> None:
    int8 = model("tflite/int8", tflite_files("conv_net", int8=True), "wasm")
    samples = save_inputs(tmp_path, image=np.zeros((1, 28, 28, 1), np.float32))
    with open_device("browser:wasm") as device:
        events = run_job(device, Job((int8,), samples, outputs=1))
    assert "int8" in error_in(events, "tflite/int8")["message"].lower()


def test_another_browser_is_started_once_and_its_page_reloads_for_each_job(
    digits: Callable[..., Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    browsers.need("firefox-esr", "Xvfb")
    job = digits(None, "tfjs/fp32", "tflite/int8", "onnx/fp32", plan=QUICK, outputs=SAMPLES)
    with (
        browsers.screen(monkeypatch),
        open_device("browser", DeviceOptions("firefox-esr")) as device,
    ):
        events = run_job(device, job)
        firefox = browsers.child("firefox-esr")
        assert works(device, digits("wasm", "tfjs/fp32", outputs=SAMPLES))
        assert browsers.child("firefox-esr") == firefox
        broken = until_broken(
            device, digits("wasm", "tfjs/fp32", plan=ENDLESS), lambda: kill("firefox-esr")
        )
        message = error_in(broken, "tfjs/fp32")["message"]
        assert message.startswith("the browser was killed (signal 9, SIGKILL)")
        assert works(device, digits("wasm", "tfjs/fp32"))
    assert events[0]["browser"].startswith("Firefox ")
    assert "llvmpipe" in events[0]["renderer"]
    assert of_kind(events, "error") == []
    for name in ("tfjs/fp32", "onnx/fp32"):
        assert len(outputs_of(events, name)["digit"]) == SAMPLES
    assert not any("firefox" in line for line in browsers.below(os.getpid()).values())


@pytest.fixture
def by_hand(tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Open an address in a Chromium that the test starts itself."""
    started = []

    def start(url: str) -> subprocess.Popen[bytes]:
        profile = tmp_path / f"profile-{len(started)}"
        flags = ["--headless", "--no-sandbox", "--no-first-run", f"--user-data-dir={profile}"]
        process = subprocess.Popen(
            [str(shutil.which("chromium")), *flags, url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_page_that_somebody_opens_does_one_job_after_the_other_until_it_is_closed(
    digits: Callable[..., Job],
    by_hand: Callable[[str], subprocess.Popen[bytes]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    said: list[str] = []

    def url() -> str | None:
        said.append(capfd.readouterr().err)
        found = re.search(
            r"keep it in front:\n(http://127\.0\.0\.1:\d+/\S+/)$", "".join(said), re.M
        )
        return found[1] if found else None

    with open_device("browser:wasm", DeviceOptions("none")) as device:
        events: list[Event] = []
        first = threading.Thread(
            target=lambda: events.extend(run_job(device, digits("wasm", "tfjs/fp32", outputs=1)))
        )
        first.start()
        browsers.wait_for(lambda: url() is not None)
        page = by_hand(str(url()))
        first.join(browsers.PATIENCE_S)
        assert events[-1]["event"] == "done"
        assert "cpu" not in events[0]

        def close() -> None:
            os.killpg(page.pid, signal.SIGKILL)

        closed = until_broken(device, digits("wasm", "tfjs/fp32", plan=ENDLESS), close)
        message = error_in(closed, "tfjs/fp32")["message"]
        assert message == "the page was closed, was reloaded, or crashed"
        by_hand(str(url()))
        assert works(device, digits("wasm", "tfjs/fp32", outputs=1))
    assert "".join(said).count("http://") == 1


def test_leaving_a_device_ends_its_browser_and_removes_its_files(
    digits: Callable[..., Job],
) -> None:
    device = open_device("browser:wasm")
    events = device.run(digits("wasm", "tfjs/fp32", plan=ENDLESS))
    for event in events:
        if event["event"] == "block":
            break
    processes = browsers.below(os.getpid())
    (folder,) = browsers.folders(processes)
    assert folder.exists()
    events.close()  # type: ignore[attr-defined]
    device.close()
    assert not browsers.folders(browsers.below(os.getpid()))
    assert not folder.exists()
