"""Files of PyTorch that are no models: what each is, and what to bring instead."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NoReturn

from edgekit_converters.sources.source import SourceOptions
from edgekit_runtimes.errors import SourceError, first_line

WRITE_PT2 = (
    "Write a .pt2 where the model is made: "
    "torch.export.save(torch.export.export(model.eval(), (example,)), 'model.pt2')."
)
NAME_THE_CLASS = (
    "name the class that they belong to: edgekit convert module:factory --weights {path} "
    "--input-shape x=1,3,224,224"
)
# A member that TorchScript's archives have and others do not.
SCRIPT_MEMBER = "constants.pkl"


def load(path: Path, options: SourceOptions) -> NoReturn:
    """Raise SourceError that says what the file is. Nothing in it is run."""
    raise SourceError(f"{path} {said_of(path)}")


def said_of(path: Path) -> str:
    """Return what a file of PyTorch is, and what to do, as the rest of a sentence."""
    if path.suffix == ".safetensors":
        return f"holds weights only: {NAME_THE_CLASS.format(path=path)}."
    if is_script(path):
        return f"is TorchScript, which torch.export does not read. {WRITE_PT2}"
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True, mmap=_may_map(path))
    except Exception as error:
        if "Unsupported" in str(error) or "weights_only" in str(error):
            return f"is a pickle of Python objects, which would run code. {WRITE_PT2}"
        return f"could not be read as a file of PyTorch: {first_line(error)}. Get it again."
    if isinstance(found, dict):
        return f"holds weights only: {NAME_THE_CLASS.format(path=path)}."
    return f"holds a {type(found).__name__}, not a model. {WRITE_PT2}"


def is_script(path: Path) -> bool:
    """Whether a file is an archive of TorchScript."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (OSError, zipfile.BadZipFile, ValueError):
        return False
    return any(name.endswith(f"/{SCRIPT_MEMBER}") for name in names) and any(
        "/code/" in name for name in names
    )


def _may_map(path: Path) -> bool:
    """Whether values can stay on the disk: only archives can."""
    return zipfile.is_zipfile(path)
