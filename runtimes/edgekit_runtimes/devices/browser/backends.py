"""The engines of a page, and the back ends on which each of them computes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edgekit_runtimes.devices import EngineChoice
from edgekit_runtimes.errors import UsageError, unknown_name

# Back end -> how it is written.
BACKENDS: Mapping[str, str] = {
    "webgl": "WebGL",
    "wasm": "WASM",
    "webgpu": "WebGPU",
    "cpu": "plain JavaScript",
}


@dataclass(frozen=True)
class PageEngine:
    """An engine of the page.

    word: how jobs and results name it. title: how its makers do.
    backends: where it computes; the first one is what it takes by default in a page.
    """

    word: str
    title: str
    backends: tuple[str, ...]


# The engine of each format.
PAGE_ENGINES: Mapping[str, PageEngine] = {
    "tfjs": PageEngine("tfjs", "TF.js", ("webgl", "wasm", "webgpu", "cpu")),
    "tflite": PageEngine("litertjs", "LiteRT.js", ("wasm", "webgpu")),
    "onnx": PageEngine("ort-web", "onnxruntime-web", ("wasm", "webgpu", "webgl")),
}


def parse_backend(spec: str) -> str | None:
    """Return the back end that "browser[:BACKEND]" names, None where each engine takes its own.

    Raises UsageError with the nearest word.
    """
    _, colon, word = spec.partition(":")
    if not colon:
        return None
    if not word:
        known = ", ".join(f"browser:{name}" for name in BACKENDS)
        raise UsageError(f"Device '{spec}' names no back end. Write browser, {known}.")
    if word not in BACKENDS:
        raise unknown_name("back end", word, BACKENDS)
    return word


def choose_engine(format: str, backend: str | None) -> EngineChoice:  # noqa: A002
    """Return the engine that runs a format on a back end, or why none does.

    backend: None for the one that the engine takes by default.
    """
    if format not in PAGE_ENGINES:
        return EngineChoice(None, f"no engine of the page runs {format}")
    engine = PAGE_ENGINES[format]
    chosen = backend or engine.backends[0]
    if chosen in engine.backends:
        return EngineChoice(engine.word, backend=chosen)
    *others, last = (f"browser:{name}" for name in engine.backends)
    return EngineChoice(
        None,
        f"{engine.title} has no {BACKENDS[chosen]} back end: needs {', '.join(others)} or {last}",
    )
