"""The back ends of a page, and which of its engines run a format on one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgekit_runtimes.devices import EngineChoice
from edgekit_runtimes.formats import FORMATS, PageEngine

# Back end -> how it is written.
BACKENDS: Mapping[str, str] = {
    "webgl": "WebGL",
    "wasm": "WASM",
    "webgpu": "WebGPU",
    "cpu": "plain JavaScript",
}


def choose_engines(format_name: str, backend: str | None) -> Sequence[EngineChoice]:
    """Return the engines for a format on a back end, the preferred one first.

    backend: None for the one that each engine takes by default. Where an engine does not have it,
    its choice says why.
    """
    engines = FORMATS[format_name].page_engines if format_name in FORMATS else ()
    choices = [_choice(engine, backend or engine.backends[0]) for engine in engines]
    return choices or [EngineChoice(None, None, f"no engine of the page runs {format_name}")]


def _choice(engine: PageEngine, backend: str) -> EngineChoice:
    if backend in engine.backends:
        return EngineChoice(engine.word, engine.word, backend=backend)
    *others, last = (f"browser:{name}" for name in engine.backends)
    return EngineChoice(
        engine.word,
        None,
        f"{engine.title} has no {BACKENDS[backend]} back end: needs {', '.join(others)} or {last}",
    )
