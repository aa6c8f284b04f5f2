"""Artifacts as files: which format one has, how large it is, and its hash."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

from edgekit_runtimes.errors import UsageError, map_exceptions
from edgekit_runtimes.formats import FORMATS


def artifact_format(path: Path) -> str:
    """Return the name of an artifact's format: by its suffix, or by the main file of a folder.

    Raises UsageError if the path does not exist or is not an artifact.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder.")
    for kind in FORMATS.values():
        if path.is_dir() and kind.is_folder and (path / kind.main_file).is_file():
            return kind.name
        if path.is_file() and kind.suffix == path.suffix.lower() != "":
            return kind.name
        if kind.is_folder and path.name == kind.main_file:
            raise UsageError(f"{path}: give the folder of a {kind.title} model, {path.parent}.")
    files = " or ".join(kind.suffix for kind in FORMATS.values() if not kind.is_folder)
    folders = "".join(
        f", or a {kind.title} folder with a {kind.main_file}"
        for kind in FORMATS.values()
        if kind.is_folder
    )
    raise UsageError(f"{path} is not an artifact: expected a {files} file{folders}.")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder, in hexadecimal.

    A folder's hash covers the name and the hash of each file in it, sorted by name.
    """
    with map_exceptions(f"{path} cannot be read", UsageError, OSError):
        return _hash_of(_files(path)) if path.is_dir() else _file_hash(path)


def sha256_of_files(files: Sequence[Path]) -> str:
    """Return the SHA-256 of some files, as that of a folder that holds them alone."""
    with map_exceptions(f"{files[0]} cannot be read", UsageError, OSError):
        return _hash_of(sorted((file.name, file) for file in files))


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    with map_exceptions(f"{path} cannot be read", UsageError, OSError):
        if path.is_dir():
            return sum(file.stat().st_size for _, file in _files(path))
        return path.stat().st_size


def _hash_of(files: Iterable[tuple[str, Path]]) -> str:
    lines = [f"{_file_hash(file)}  {name}\n" for name, file in files]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> list[tuple[str, Path]]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return sorted((file.relative_to(folder).as_posix(), file) for file in files)
