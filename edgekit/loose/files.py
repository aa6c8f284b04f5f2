"""Which paths are loose artifacts, and what each holds."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgekit.bundle.bundle import BUNDLE_SUFFIX
from edgekit.bundle.manifest import MANIFEST_NAME
from edgekit.inspect import ArtifactFacts, find_record, inspect_artifact
from edgekit.results.plan import REFERENCE_RECIPE
from edgekit_runtimes.artifact import artifact_format
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.formats import FORMATS
from edgekit_runtimes.reordered import OPTION

# How nodes compute in a file of which nothing is quantized or halved.
PLAIN = frozenset({"fp32", "conversion", "other"})
PLAIN_DTYPES = frozenset({"float32", "int32", "int64", "bool"})


@dataclass(frozen=True)
class LooseFile:
    """A loose artifact.

    given: as the user named it. recipe: "fp32" for the first of its format that is so in all its
    weights and nodes, and else the file's own name: what was done to it is not known.
    options: what its engine is to be told, where a bundle around it says so.
    """

    given: Path
    path: Path
    facts: ArtifactFacts
    recipe: str
    options: Mapping[str, Any]

    @property
    def id(self) -> str:
        """How results name it."""
        return f"{self.facts.format}/{self.recipe}"


def is_loose(paths: Sequence[Path], command: str) -> bool:
    """Return whether paths name artifacts, and not one bundle.

    command: whose they are. Raises UsageError, with what to type, for a model that is to be
    converted first, and for several paths that are not all artifacts.
    """
    if len(paths) == 1 and (not paths[0].exists() or (paths[0] / MANIFEST_NAME).is_file()):
        return False
    for path in paths:
        if (path / MANIFEST_NAME).is_file():
            raise UsageError(f"{path} is a bundle: give one bundle, or artifacts only.")
        try:
            artifact_format(_artifact(path))
        except UsageError:
            _check_source(path, command)
            if len(paths) == 1 and path.is_dir():
                # Meant as a bundle.
                return False
            raise
    return True


def read_files(paths: Iterable[Path]) -> list[LooseFile]:
    """Return what is in loose artifacts. Raises as `edgekit.inspect.inspect_artifact` does."""
    files: list[LooseFile] = []
    for given in dict.fromkeys(paths):
        path = _artifact(given)
        facts = inspect_artifact(path)
        taken = {file.id for file in files}
        recipe = REFERENCE_RECIPE if _is_plain(facts) else ""
        if not recipe or f"{facts.format}/{recipe}" in taken:
            recipe = _name(path, facts.format, taken)
        found = find_record(path)
        options = dict(found[1].engine_options) if found else {}
        # Worked out again, from the shapes.
        options.pop(OPTION, None)
        files.append(LooseFile(given, path, facts, recipe, options))
    return files


def put(file: LooseFile, place: Path) -> None:
    """Link an artifact's files to `place`; they are copied where they cannot be linked."""
    if file.path.is_dir():
        shutil.copytree(file.path, place, copy_function=_link)
    else:
        place.parent.mkdir(parents=True, exist_ok=True)
        _link(str(file.path.resolve()), str(place))


def _link(source: str, target: str) -> str:
    # The file itself: a link to a link would lead out of the bundle.
    source = os.path.realpath(source)
    try:
        os.link(source, target)
    except OSError:
        # Another file system, or one that has no such links.
        shutil.copyfile(source, target)
    return target


def _artifact(path: Path) -> Path:
    """Return the path of an artifact: a folder, where its main file was named."""
    is_main = any(kind.is_folder and path.name == kind.main_file for kind in FORMATS.values())
    return path.resolve().parent if is_main and path.is_file() else path


def _check_source(path: Path, command: str) -> None:
    """Raise UsageError with what to type where a path is a model to be converted."""
    from edgekit_converters.sources import source_kind

    if not path.exists():
        return
    try:
        source_kind(path)
    except UsageError:
        return
    name = path.resolve().name if path.is_dir() else path.stem
    raise UsageError(
        f"{path} is a model, and {command} is for what is made of it. Type "
        f"`edgekit convert {path}`, then `edgekit {command} {name}{BUNDLE_SUFFIX}`."
    )


def _is_plain(facts: ArtifactFacts) -> bool:
    graph = facts.graph
    if graph is None:
        return False
    dtypes = {
        tensor.stored_dtype for node in graph.nodes for tensor in node.inputs if tensor.is_constant
    }
    return set(graph.nodes_by_compute) <= PLAIN and dtypes <= PLAIN_DTYPES


def _name(path: Path, format_name: str, taken: set[str]) -> str:
    """Return a file's name as a recipe is written, and one of its own."""
    stem = path.name if path.is_dir() else path.stem
    name = re.sub("[^a-z0-9]+", "-", stem.lower()).strip("-") or "artifact"
    names = [name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))]
    free = (one for one in names if f"{format_name}/{one}" not in taken)
    return next(one for one in free if one != REFERENCE_RECIPE)
