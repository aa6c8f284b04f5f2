"""The gates of a project: in edgekit.toml, or in pyproject.toml under [tool.edgekit].

    [tool.edgekit]
    gates = ["size<=300KB", "tflite/int8 latency.p90<=5ms"]

or, one gate per line:

    [tool.edgekit.gates]
    size = "<=300KB"
    "tflite/int8 latency.p90" = "<=5ms"

In edgekit.toml both are written without `tool.edgekit`. The file is looked for in the current
folder, then in those above it, up to the repository's (the one with .git); the first that says
something about edgekit is the only one that counts, edgekit.toml before pyproject.toml.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from edgekit.gates.gate import Gate, parse_gate
from edgekit_runtimes.errors import UsageError, unknown_name

OWN_FILE = "edgekit.toml"
PROJECT_FILE = "pyproject.toml"
SETTINGS = ("gates",)


def project_gates(folder: Path) -> list[Gate]:
    """Return the gates of the project that `folder` is in, those on regressions included.

    Raises UsageError, naming the file, if it cannot be read or says something unknown.
    """
    for place in _places(folder):
        for path in (place / OWN_FILE, place / PROJECT_FILE):
            settings = _settings(path) if path.is_file() else None
            if settings is not None:
                return list(_gates(settings, path))
    return []


def _places(folder: Path) -> Iterator[Path]:
    for place in (folder, *folder.parents):
        yield place
        if (place / ".git").exists():
            return


def _settings(path: Path) -> dict[str, Any] | None:
    """Return what a file says about edgekit; None for a pyproject.toml that says nothing."""
    try:
        form = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not TOML: {error}.") from error
    if path.name == OWN_FILE:
        return form
    tool = form.get("tool")
    settings = tool.get("edgekit") if isinstance(tool, dict) else None
    return settings if isinstance(settings, dict) else None


def _gates(settings: Mapping[str, Any], path: Path) -> Iterator[Gate]:
    for name in settings:
        if name not in SETTINGS:
            raise _in_file(unknown_name("setting", name, SETTINGS), path)
    for text in _texts(settings.get("gates", []), path):
        try:
            yield parse_gate(text)
        except UsageError as error:
            raise _in_file(error, path) from error


def _texts(gates: Any, path: Path) -> Iterator[str]:
    if isinstance(gates, list):
        for gate in gates:
            if not isinstance(gate, str):
                raise UsageError(f"{path}: gates must be strings, as 'size<=300KB', not {gate!r}.")
            yield gate
    elif isinstance(gates, dict):
        yield from _flat(gates, "", path)
    else:
        raise UsageError(f"{path}: gates must be a list or a table, not {gates!r}.")


def _flat(table: Mapping[str, Any], prefix: str, path: Path) -> Iterator[str]:
    """Yield the gates of a table; a bare key with dots (latency.p90) is tables within tables."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.", path)
        elif isinstance(value, str):
            yield f"{prefix}{name}{value}"
        else:
            raise UsageError(
                f"{path}: gate {prefix}{name} must be a string, as '<=300KB', not {value!r}."
            )


def _in_file(error: UsageError, path: Path) -> UsageError:
    return UsageError(f"{path}: {error}")
