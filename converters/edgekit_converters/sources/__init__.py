"""Sources: load a trained model, check it, and hand over its frozen graph.

source = load_source(Path("digits.keras"))
source.graph      the FrozenGraph that every format is written from
source.run(...)   the original: the model in its own framework, at full precision

Each package of this folder describes the kinds that it loads, as SOURCES, and is found here without
being named anywhere else. Other distributions add kinds by the entry point group `edgekit.sources`.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import pkgutil
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from edgekit_converters.extra import importing_extra
from edgekit_converters.sources.source import (
    TENSORFLOW_ENGINE,
    LateGraph,
    OwnModel,
    Source,
    SourceKind,
    SourceOptions,
    see_working_folder,
)
from edgekit_runtimes.errors import SourceError, UsageError, map_exceptions
from edgekit_runtimes.plugins import load_plugins, warn_of_plugin

__all__ = [
    "LateGraph",
    "OwnModel",
    "Source",
    "SourceKind",
    "SourceOptions",
    "load_source",
    "original_engine",
    "source_hash",
    "source_kind",
    "source_kinds",
]

PLUGINS = "edgekit.sources"

# How messages call the options of a source.
OPTION_WORDS = {
    "input_shapes": "--input-shape",
    "signature": "--signature",
    "unsafe": "--unsafe",
    "imports": "--import",
    "fixed": "--set",
    "layout": "--layout",
    "weights": "--weights",
}


@functools.cache
def source_kinds() -> Mapping[str, SourceKind]:
    """Return all kinds of sources by name: our own, then those of other distributions."""
    kinds = {kind.name: kind for kind in _own_kinds()}
    for name, kind in load_plugins(PLUGINS):
        if not isinstance(kind, SourceKind):
            warn_of_plugin(PLUGINS, name, f"it is of type {type(kind).__name__}, not SourceKind")
        elif kind.name in kinds:
            warn_of_plugin(PLUGINS, name, f"there is already a source of the kind '{kind.name}'")
        else:
            kinds[kind.name] = kind
    return kinds


def source_kind(path: Path, options: SourceOptions | None = None) -> SourceKind:
    """Return the kind of a source, from its path alone: nothing heavy is imported.

    Raises UsageError where no kind accepts it, and where its kind does not take the options.
    """
    kind = _kind_of(path)
    unsaid = SourceOptions(input_shapes={})
    for option, word in OPTION_WORDS.items():
        if option not in kind.options and getattr(options or unsaid, option) != getattr(
            unsaid, option
        ):
            titles = [one.title for one in source_kinds().values() if option in one.options]
            raise UsageError(
                f"{word} is for {_join(titles, 'and')}, and {path} is not one. Leave it out."
            )
    return kind


def load_source(path: Path, options: SourceOptions | None = None) -> Source:
    """Load a source of any kind.

    Raises UsageError where no kind accepts it or its options, MissingExtraError where what loads
    it is not installed, SourceError where it cannot be read.
    """
    options = options or SourceOptions(input_shapes={})
    kind = source_kind(path, options)
    with map_exceptions(f"{path} could not be read ({kind.title})", SourceError):
        if kind.extra is None:
            load = pkgutil.resolve_name(kind.loader)
        else:
            with importing_extra(f"Reading {path}", kind.extra):
                load = pkgutil.resolve_name(kind.loader)
        source: Source = load(path, options)
    return source


def source_hash(path: Path) -> str:
    """Return the SHA-256 of a source: a file, a folder, or the module that a word names."""
    from edgekit_runtimes.artifact import sha256_of, sha256_of_files

    if path.exists():
        files = _kind_of(path).files
        return sha256_of_files(pkgutil.resolve_name(files)(path)) if files else sha256_of(path)
    see_working_folder()
    module = str(path).partition(":")[0]
    with map_exceptions(f"{path}: the module {module} cannot be found", UsageError):
        spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise UsageError(f"{path}: there is no module {module} in this Python or working folder.")
    return sha256_of(Path(spec.origin))


def original_engine(kind: str) -> str:
    """Return the module of the engine that runs sources of a kind, by its name in a manifest."""
    found = source_kinds().get(kind)
    return found.engine if found else TENSORFLOW_ENGINE


def _own_kinds() -> Iterator[SourceKind]:
    for module in pkgutil.iter_modules(__path__):
        if module.ispkg:
            yield from importlib.import_module(f"{__name__}.{module.name}").SOURCES


def _kind_of(path: Path) -> SourceKind:
    kinds = tuple(source_kinds().values())
    if path.is_dir():
        for kind in kinds:
            if any((path / name).exists() for name in kind.folder_files):
                return kind
        files = _join([kind.folder_files[0] for kind in kinds if kind.folder_files], "or")
        raise UsageError(f"{path} is a folder without {files}, so it is not a source. {_known()}")
    if path.exists():
        for kind in kinds:
            if path.suffix in kind.suffixes:
                return kind
        raise UsageError(f"{path} is not a source that edgekit reads. {_known()}")
    if re.fullmatch(r"[\w.]+:\w+", str(path)):
        # Who installs a plug-in that takes words wants them to be its own.
        for kind in reversed(kinds):
            if kind.words:
                return kind
    raise UsageError(f"No such file or folder: {path}")


def _known() -> str:
    listed = (kind for kind in source_kinds().values() if kind.is_listed)
    kinds = [f"{kind.title} ({kind.description})" for kind in listed]
    return f"Sources are {_join(kinds, 'and')}."


def _join(words: list[str], last: str) -> str:
    """Return words as an enumeration: a, b and c."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))
