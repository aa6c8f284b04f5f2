"""Which files a TF.js model is made of. Nothing heavy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from edgekit_runtimes.errors import SourceError, map_exceptions
from edgekit_runtimes.formats import FORMATS

MODEL_FILE = FORMATS["tfjs"].main_file


def main_file(path: Path) -> Path:
    """Return the model.json of a model: the path itself, or in the folder."""
    return path / MODEL_FILE if path.is_dir() else path


def read_json(path: Path) -> dict[str, Any]:
    """Return what a model.json says. Raises SourceError where it is not one."""
    faults = (OSError, ValueError, RecursionError)
    with map_exceptions(f"{path} is damaged, or not JSON", SourceError, *faults):
        model = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(model, dict) or not isinstance(model.get("modelTopology"), dict):
        raise SourceError(f"{path} is not a TF.js model: it holds no modelTopology.")
    return model


def shard(main: Path, name: object) -> Path:
    """Return the path of a weight file. Raises SourceError where it is missing or elsewhere.

    A symbolic link that leads out of the folder is elsewhere, too.
    """
    folder = main.parent.resolve()
    with map_exceptions(f"{main} names a weight file that cannot be one", SourceError):
        path = folder / str(name)
        if not path.resolve().is_relative_to(folder):
            raise SourceError(
                f"{main} names a weight file outside of its folder: '{name}'. Put all files of "
                "the model into one folder."
            )
        if not path.is_file():
            raise SourceError(f"{main} names the weight file '{name}', which is not there.")
    return path


def files_of(path: Path) -> list[Path]:
    """Return the files of a model, the model.json first; that alone where it is damaged."""
    main = main_file(path)
    try:
        groups = read_json(main).get("weightsManifest", ())
        return [main, *(shard(main, name) for group in groups for name in group["paths"])]
    except (SourceError, LookupError, TypeError):
        return [main]
