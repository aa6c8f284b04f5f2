"""Plug-ins: what other distributions add by entry points (`edgekit.engines`, `edgekit.sources`, …).

An entry point names an object in a package that is installed beside edgekit. A plug-in that does
not import is left out with one warning: another distribution's package never stops a command.
"""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from edgekit_runtimes.errors import first_line
from edgekit_runtimes.printable import printable


@functools.cache
def load_plugins(group: str) -> tuple[tuple[str, Any], ...]:
    """Return what other distributions registered in a group, as (name, object), by name.

    One that cannot be loaded, and a second one of the same name, is a warning on stderr and is not
    in the result. Found once per process: installing a plug-in takes effect in the next one.
    """
    if not _is_registered(group):
        return ()
    from importlib import metadata

    loaded: dict[str, Any] = {}
    for point in sorted(metadata.entry_points(group=group), key=lambda point: point.name):
        if point.name in loaded:
            warn_of_plugin(group, point.name, "another distribution has registered this name")
            continue
        try:
            loaded[point.name] = point.load()
        # SystemExit: a module may end the interpreter that imports it.
        except (Exception, SystemExit) as error:
            warn_of_plugin(group, point.name, f"{type(error).__name__}: {first_line(error)}")
    return tuple(loaded.items())


def _is_registered(group: str) -> bool:
    """Return whether a distribution in a folder of sys.path has the group: seldom, and soon known.

    importlib.metadata takes longer to import than all else that `edgekit convert --help` needs.
    """
    header = f"[{group}]".encode()
    for entry in sys.path:
        for file in Path(entry).glob("*-info/entry_points.txt"):
            with contextlib.suppress(OSError):
                if header in file.read_bytes():
                    return True
    return False


def missing_part(plugin: Any, texts: Iterable[str], functions: Iterable[str]) -> str:
    """Return what an object lacks of these strings and functions, in words; "" if nothing."""
    for name in texts:
        if not isinstance(getattr(plugin, name, None), str):
            return f"it has no string {name}"
    for name in functions:
        if not callable(getattr(plugin, name, None)):
            return f"it has no function {name}"
    return ""


def warn_of_plugin(group: str, name: str, reason: str) -> None:
    """Say on stderr, in one line, that a plug-in is left out and why."""
    print(
        printable(f"Warning: the plug-in '{name}' ({group}) is left out: {reason}"),
        file=sys.stderr,
        flush=True,
    )
