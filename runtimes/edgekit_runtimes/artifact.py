"""Artifacts as files: which format one is, how big, and its hash."""

from __future__ import annotations

import hashlib
from pathlib import Path

from edgekit_runtimes.errors import UsageError, map_exceptions

FORMATS = ("tflite", "tfjs", "onnx")

TFJS_MODEL_FILE = "model.json"

_SUFFIXES = {".tflite": "tflite", ".onnx": "onnx"}


def artifact_format(path: Path) -> str:
    """Return the format of an artifact: by its suffix, or "tfjs" for a folder with a model.json.

    Raises UsageError where the path does not exist or is no artifact.
    """
    if not path.exists():
        raise UsageError(f"{path}: no such file or folder.")
    if path.is_dir() and (path / TFJS_MODEL_FILE).is_file():
        return "tfjs"
    if path.is_file() and path.suffix.lower() in _SUFFIXES:
        return _SUFFIXES[path.suffix.lower()]
    if path.name == TFJS_MODEL_FILE:
        raise UsageError(f"{path}: give the folder of a TF.js model, {path.parent}.")
    raise UsageError(
        f"{path} is no artifact: expected a .tflite or .onnx file, "
        f"or a TF.js folder with a {TFJS_MODEL_FILE}."
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, or of a folder, in hexadecimal.

    A folder's hash covers the name and the hash of each file in it, sorted by name.
    """
    with map_exceptions(f"{path} cannot be read", UsageError, OSError):
        if path.is_dir():
            lines = [f"{_file_hash(file)}  {name}\n" for name, file in _files(path)]
            return hashlib.sha256("".join(lines).encode()).hexdigest()
        return _file_hash(path)


def size_of(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder."""
    with map_exceptions(f"{path} cannot be read", UsageError, OSError):
        if path.is_dir():
            return sum(file.stat().st_size for _, file in _files(path))
        return path.stat().st_size


def _file_hash(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files(folder: Path) -> list[tuple[str, Path]]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    return sorted((file.relative_to(folder).as_posix(), file) for file in files)
