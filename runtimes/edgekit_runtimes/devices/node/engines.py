"""The engines of the page that run under Node, and on which of its back ends."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit_runtimes.devices import EngineChoice
from edgekit_runtimes.devices.node.program import find_node
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.formats import FORMATS, PageEngine

# How jobs are told which worker runs a model, on a device that has one in Python too.
NODE_WORKER = "node"

_ENGINES = [page for kind in FORMATS.values() for page in kind.page_engines if page.node_backends]

NODE_ENGINES = tuple(page.word for page in _ENGINES)
NODE_BACKENDS = tuple(dict.fromkeys(name for page in _ENGINES for name in page.node_backends))


def node_engines(format_name: str, backend: str | None = None) -> Sequence[EngineChoice]:
    """Return the engines for a format under Node, the preferred one first.

    backend: None for the one that each engine takes by default. Where there is no Node the choices
    say what to install.
    """
    pages = FORMATS[format_name].page_engines if format_name in FORMATS else ()
    engines = [page for page in pages if page.node_backends]
    if not engines:
        return ()
    try:
        find_node()
    except UsageError as error:
        return [
            EngineChoice(page.word, None, f"{page.title} needs Node or a browser. {error}")
            for page in engines
        ]
    return [_choice(page, backend or page.node_backends[0]) for page in engines]


def _choice(page: PageEngine, backend: str) -> EngineChoice:
    return EngineChoice(page.word, page.word, backend=backend, worker=NODE_WORKER)
