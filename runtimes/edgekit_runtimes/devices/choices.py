"""Which engines run a format on a device, and on which of their back ends."""

from __future__ import annotations

from collections.abc import Callable, Collection

from edgekit_runtimes.devices import EngineChoice
from edgekit_runtimes.engines import load_engine
from edgekit_runtimes.engines.registry import engines_of
from edgekit_runtimes.errors import UsageError, unknown_name
from edgekit_runtimes.formats import FORMATS


def python_engines(
    format_name: str, has: Callable[[str], bool], how_to_install: Callable[[str], str]
) -> tuple[EngineChoice, ...]:
    """Return the engines for a format, the preferred one first.

    has: whether the device's Python finds a package. how_to_install: what is said if it does not,
    given the distribution that has the engine.
    """
    choices = []
    for engine in engines_of(format_name):
        if all(map(has, engine.needed_modules)):
            choices.append(EngineChoice(engine.word, engine.module))
        else:
            advice = how_to_install(load_engine(engine.module).PACKAGE)
            choices.append(EngineChoice(engine.word, None, advice))
    return tuple(choices)


def no_engine(format_name: str) -> EngineChoice:
    """Return the choice for a format that no engine of a device runs, with the devices that do."""
    kind = FORMATS.get(format_name)
    pages = kind.page_engines if kind else ()
    under_node = any(page.node_backends for page in pages)
    words = [
        *(["host"] if under_node or (kind and kind.engines) else []),
        *(["node"] if under_node else []),
        *dict.fromkeys(f"browser:{name}" for page in pages for name in page.backends),
    ]
    if not words:
        return EngineChoice(None, None, f"no engine runs {format_name}")
    *others, last = words
    return EngineChoice(None, None, f"needs {', '.join(others)} or {last}")


def parse_backend(spec: str, backends: Collection[str], noun: str = "back end") -> str | None:
    """Return the back end that "KIND[:BACKEND]" names, None where each engine takes its own.

    noun: what an unknown word is called. Raises UsageError with the nearest word.
    """
    kind, colon, word = spec.partition(":")
    if not colon:
        return None
    if not word:
        *others, last = (f"{kind}:{name}" for name in backends)
        known = f"{', '.join([kind, *others])} or {last}"
        raise UsageError(f"Device '{spec}' does not name a back end. Write {known}.")
    if word not in backends:
        raise unknown_name(noun, word, backends)
    return word
