"""Which browser is installed, and what it is started with."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from edgekit_runtimes.errors import MissingExtraError, UsageError
from edgekit_runtimes.owned.folder import temporary_folder
from edgekit_runtimes.owned.guard import guarded_environment

BrowserKind = Literal["chromium", "firefox"]

# The names under which distributions install browsers.
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FIREFOXES = ("firefox", "firefox-esr")

INSTALL_CHROMIUM = "apt-get install chromium"

# A cold start from a slow disk takes seconds.
VERSION_LIMIT_S = 30

# Nothing is fetched, asked or offered besides the page, and it is not slowed down while its window
# is hidden. In containers /dev/shm has 64 MB, which is too little.
QUIET_FLAGS = (
    *("--no-first-run", "--no-default-browser-check", "--disable-quic", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    *("--disable-background-timer-throttling", "--disable-renderer-backgrounding"),
    "--disable-backgrounding-occluded-windows",
)

# What computes on the CPU alone needs no GPU process, and without a GPU that takes half a second.
NO_GPU_FLAGS = ("--disable-gpu",)
# EGL is the one way to Mesa: --use-angle=gl and =vulkan fall back to SwiftShader silently.
# Mesa's llvmpipe is about five times as fast as SwiftShader, and a GPU's driver speaks EGL too.
EGL_FLAGS = ("--use-gl=angle", "--use-angle=gl-egl", "--ignore-gpu-blocklist")
SWIFTSHADER_FLAGS = ("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
# Without a GPU, WebGPU has an adapter only if this one is asked for; good for a smoke test.
WEBGPU_FLAGS = ("--enable-unsafe-webgpu",)
FALLBACK_WEBGPU_FLAGS = (*WEBGPU_FLAGS, "--use-webgpu-adapter=swiftshader")

# Where Mesa and NVIDIA's driver keep compiled shaders.
SHADER_CACHES = ("MESA_SHADER_CACHE_DIR", "__GL_SHADER_DISK_CACHE_PATH")


def flag_sets(backend: str | None) -> list[tuple[str, ...]]:
    """Return what to start Chromium with, the preferred flags first.

    The others are used if the page says that it lacks what the back end needs.
    backend: None if each engine takes its own.
    """
    if backend == "webgpu":
        return [
            (*QUIET_FLAGS, *EGL_FLAGS, *WEBGPU_FLAGS),
            (*QUIET_FLAGS, *EGL_FLAGS, *FALLBACK_WEBGPU_FLAGS),
        ]
    if backend in ("wasm", "cpu"):
        return [(*QUIET_FLAGS, *NO_GPU_FLAGS)]
    return [(*QUIET_FLAGS, *EGL_FLAGS), (*QUIET_FLAGS, *SWIFTSHADER_FLAGS)]


def new_folder() -> tempfile.TemporaryDirectory[str]:
    """Return a folder for all that a browser writes."""
    # Short: Chromium puts a socket into it.
    return temporary_folder(short=True)


def browser_environment(folder: Path, shaders: Path) -> dict[str, str]:
    """Return the environment of a browser that writes into these folders only.

    shaders: where it keeps them once they are compiled.
    """
    places = {"TMPDIR": str(folder), **dict.fromkeys(SHADER_CACHES, str(shaders))}
    return guarded_environment({**os.environ, **places})


def installed(names: tuple[str, ...]) -> list[str]:
    """Return the paths of the programs that are on PATH, one for each file."""
    paths = [path for path in map(shutil.which, names) if path]
    return list({Path(path).resolve(): path for path in reversed(paths)}.values())[::-1]


def check_playwright() -> None:
    """Raise MissingExtraError if Playwright is not installed."""
    if importlib.util.find_spec("playwright") is None:
        raise MissingExtraError("Measuring in Chromium", "browser")


def find_chromium() -> str:
    """Return the installed Chromium or Chrome. Raises UsageError with the line that installs it."""
    found = installed(CHROMIUMS)
    if found:
        return found[0]
    other = next(iter(installed(FIREFOXES)), "/path/to/browser")
    raise UsageError(
        f"No Chromium was found. Install it with: {INSTALL_CHROMIUM}, or measure in another "
        f"browser with --browser {other}."
    )


def identify(path: str) -> tuple[str, BrowserKind]:
    """Return the full path of a browser and its kind, by what it says about itself.

    Raises UsageError if it is not a browser.
    """
    found = shutil.which(path)
    if found is None:
        raise UsageError(f"--browser {path}: no such program. Give the path of a browser, or none.")
    said = _version(found)
    words = said.lower()
    if "firefox" in words:
        return found, "firefox"
    if "chrom" in words or "edge" in words:
        return found, "chromium"
    answer = f"its --version says '{said}'" if said else "it does not answer to --version"
    raise UsageError(
        f"--browser {path} is neither Firefox nor based on Chromium: {answer}. Open the page "
        "in it yourself with --browser none."
    )


def is_root() -> bool:
    """Return whether this is root, under whom Chromium starts without its sandbox only."""
    return os.geteuid() == 0


def has_display(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether there is a screen, even one that is not visible (Xvfb)."""
    return bool(environment.get("DISPLAY") or environment.get("WAYLAND_DISPLAY"))


def _version(path: str) -> str:
    try:
        answer = subprocess.run(
            [path, "--version"],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=VERSION_LIMIT_S,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout.strip().split("\n")[-1]
