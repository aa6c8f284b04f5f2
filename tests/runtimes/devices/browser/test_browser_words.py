"""The words of browser devices, and what is said where there is no browser."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from ssh_server import write_script

from edgekit_runtimes.devices import DeviceOptions, open_device
from edgekit_runtimes.devices.browser import device as browser_device
from edgekit_runtimes.devices.browser.backends import BACKENDS, choose_engines
from edgekit_runtimes.devices.browser.launch import flag_sets, identify
from edgekit_runtimes.devices.browser.program import browser_command
from edgekit_runtimes.errors import MissingExtraError, UsageError
from edgekit_runtimes.formats import FORMATS

URL = "http://127.0.0.1:1/token/"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with the page and without any browser; return the folder of its programs."""
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "runner.html").touch()
    (tmp_path / "bin").mkdir()
    monkeypatch.setattr(browser_device, "PAGES", tmp_path / "pages")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "bin"


def refusal(spec: str, browser: str | None = "none") -> str:
    """Return what is said against opening a device."""
    with pytest.raises(UsageError) as caught:
        open_device(spec, DeviceOptions(browser))
    return str(caught.value)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "browser:webgll",
            "Unknown back end 'webgll'. Did you mean 'webgl'? Known: webgl, wasm, webgpu, cpu.",
        ),
        (
            "browser:",
            "Device 'browser:' does not name a back end. Write browser, browser:webgl, "
            "browser:wasm, browser:webgpu or browser:cpu.",
        ),
        (
            "brovser:webgl",
            "Unknown device 'brovser:webgl'. Did you mean 'browser'? "
            "Known: host, node, board, ssh, browser.",
        ),
    ],
)
def test_a_wrong_word_is_answered_with_the_nearest(spec: str, message: str) -> None:
    assert refusal(spec) == message


def test_without_a_browser_the_line_that_installs_one_is_said(machine: Path) -> None:
    assert refusal("browser:wasm", None) == (
        "No Chromium was found. Install it with: apt-get install chromium, or measure in another "
        "browser with --browser /path/to/browser."
    )
    write_script(machine / "firefox-esr", "exit 0")
    assert refusal("browser:wasm", None).endswith(f"browser with --browser {machine}/firefox-esr.")


def test_without_playwright_the_extra_is_named(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_script(machine / "chromium", "exit 0")
    monkeypatch.setitem(sys.modules, "playwright", None)
    with pytest.raises(MissingExtraError) as caught:
        open_device("browser:wasm")
    assert str(caught.value) == (
        "Measuring in Chromium needs edgekit's 'browser' extra. "
        "Install it with: pip install 'edgekit[browser]'"
    )


def test_neither_playwright_nor_a_browser_is_needed_for_a_page_that_somebody_opens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "playwright", None)
    with open_device("browser:wasm", DeviceOptions("none")) as device:
        assert device.name == "browser:wasm"


def test_without_its_page_the_line_that_builds_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(browser_device, "PAGES", tmp_path)
    assert refusal("browser") == (
        "The page that browsers run has not been built here. In a checkout of edgekit, build it "
        "with: make web"
    )


def test_a_browser_that_is_missing_or_not_a_browser_is_refused(machine: Path) -> None:
    assert refusal("browser", "/nowhere/firefox") == (
        "--browser /nowhere/firefox: no such program. Give the path of a browser, or none."
    )
    write_script(machine / "calculator", "echo calc 1.0")
    assert refusal("browser", "calculator") == (
        "--browser calculator is neither Firefox nor based on Chromium: its --version says "
        "'calc 1.0'. Open the page in it yourself with --browser none."
    )
    write_script(machine / "silent", "exit 1")
    assert "it does not answer to --version" in refusal("browser", "silent")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Mozilla Firefox 153.7.0esr", "firefox"),
        ("Chromium 156.0.1 built on Debian", "chromium"),
        ("Google Chrome 156.0.1", "chromium"),
        ("Microsoft Edge 156.0.1", "chromium"),
    ],
)
def test_a_browser_is_known_by_what_it_says_and_not_by_its_name(
    machine: Path, said: str, kind: str
) -> None:
    write_script(machine / "my-browser", f"echo {said}")
    assert identify("my-browser") == (f"{machine}/my-browser", kind)


def test_firefox_has_a_profile_of_its_own_and_a_window_only_where_there_is_a_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = browser_command("/bin/firefox", "firefox", "webgl", tmp_path, URL)
    profile = str(tmp_path / "profile")
    assert words == ["/bin/firefox", "-no-remote", "-profile", profile, "--headless", URL]
    preferences = (tmp_path / "profile" / "user.js").read_text()
    assert 'user_pref("browser.aboutwelcome.enabled", false);' in preferences
    monkeypatch.setenv("DISPLAY", ":1")
    (tmp_path / "b").mkdir()
    shown = browser_command("/bin/firefox", "firefox", "webgl", tmp_path / "b", URL)
    assert "--headless" not in shown


def test_webgl_asks_for_egl_first_and_for_swiftshader_then() -> None:
    first, second = flag_sets("webgl")
    assert "--use-angle=gl-egl" in first
    assert "--use-angle=swiftshader" in second


@pytest.mark.parametrize(
    ("form", "backend", "reason"),
    [
        (
            "tflite",
            "webgl",
            "LiteRT.js has no WebGL back end: needs browser:wasm or browser:webgpu",
        ),
        (
            "onnx",
            "cpu",
            "onnxruntime-web has no plain JavaScript back end: needs browser:wasm, browser:webgpu "
            "or browser:webgl",
        ),
        ("source", "wasm", "no engine of the page runs source"),
    ],
)
def test_what_an_engine_cannot_do_is_said_with_what_it_can(
    form: str, backend: str, reason: str
) -> None:
    (choice,) = choose_engines(form, backend)
    assert choice.reason == reason
    assert choice.module is None


def test_plain_browser_takes_each_engine_on_its_own_back_end() -> None:
    choices = {form: choose_engines(form, None)[0] for form in FORMATS}
    assert {form: (choice.word, choice.backend) for form, choice in choices.items()} == {
        "tfjs": ("tfjs", "webgl"),
        "tflite": ("litertjs", "wasm"),
        "onnx": ("ort-web", "wasm"),
    }
    engines = [engine for kind in FORMATS.values() for engine in kind.page_engines]
    assert {backend for engine in engines for backend in engine.backends} == set(BACKENDS)
