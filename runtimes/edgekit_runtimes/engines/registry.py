"""The engines in Python: ours, and those that other distributions add.

To add one of ours, write one module and one line in formats.py. Another distribution names its
module as an entry point:

    [project.entry-points."edgekit.engines"]
    my-engine = "my_package.my_engine"
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from edgekit_runtimes.engines import load_engine, root_module
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.plugins import load_plugins, missing_part, warn_of_plugin

GROUP = "edgekit.engines"

# What an engine module must offer, and its type.
TEXTS = ("NAME", "PACKAGE", "IMPORT_NAME", "FORMAT")
FUNCTIONS = ("version", "load")


@dataclass(frozen=True)
class RegisteredEngine:
    """An engine in Python.

    word: how results and `--engine` name it. module: what a job names. format: what it runs.
    """

    word: str
    module: str
    format: str

    @property
    def needed_modules(self) -> tuple[str, ...]:
        """The packages that a Python must find to run it, apart from edgekit_runtimes."""
        package = self.module.split(".")[0]
        needed = (package, root_module(load_engine(self.module)))
        return tuple(name for name in dict.fromkeys(needed) if name != "edgekit_runtimes")


@functools.cache
def registered_engines() -> tuple[RegisteredEngine, ...]:
    """Return all engines in Python, by format, ours before those of other distributions.

    A plug-in that is not an engine, or has the name of another one, is a warning on stderr.
    """
    ours = [
        RegisteredEngine(word, module, kind.name)
        for kind in FORMATS.values()
        for word, module in kind.engines.items()
    ]
    engines = {engine.word: engine for engine in ours}
    for name, plugin in load_plugins(GROUP):
        if fault := _fault(name, plugin, engines):
            warn_of_plugin(GROUP, name, fault)
        else:
            engines[name] = RegisteredEngine(name, plugin.__name__, plugin.FORMAT)
    places = [*FORMATS]
    return tuple(sorted(engines.values(), key=lambda engine: places.index(engine.format)))


def engines_of(format_name: str) -> tuple[RegisteredEngine, ...]:
    """Return the engines in Python that run a format, the preferred one first."""
    return tuple(engine for engine in registered_engines() if engine.format == format_name)


def engine_words() -> list[str]:
    """Return the words of all engines: those in Python, then those of pages."""
    return [*(engine.word for engine in registered_engines()), *page_engine_words()]


def page_engine_words() -> list[str]:
    """Return the words of the engines of pages."""
    return [page.word for kind in FORMATS.values() for page in kind.page_engines]


def _fault(name: str, plugin: Any, engines: Mapping[str, RegisteredEngine]) -> str:
    """Return why an object cannot be an engine of this name; "" if it can."""
    if name in engines or name in page_engine_words():
        return "edgekit has an engine of this name"
    if not isinstance(plugin, ModuleType):
        return "it is not a module, and a job names an engine by its module"
    if missing := missing_part(plugin, TEXTS, FUNCTIONS):
        return missing
    if name != plugin.NAME:
        return f"its NAME is '{plugin.NAME}'"
    if plugin.FORMAT not in FORMATS:
        return f"its FORMAT '{plugin.FORMAT}' is not one of {', '.join(FORMATS)}"
    return ""
