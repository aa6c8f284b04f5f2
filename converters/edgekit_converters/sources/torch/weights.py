"""Weights of a module, from a file that holds nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from edgekit_converters.sources.torch.refused import is_script
from edgekit_runtimes.errors import SourceError, UsageError, first_line

# Names that a message lists.
NAMED = 3
# Under one of these, training scripts keep the weights beside the optimizer's state.
PARTS = ("state_dict", "model_state_dict", "model")


def load_weights(module: Any, path: Path) -> None:
    """Give a module the weights in a .pt, .pth or .safetensors file.

    Raises UsageError if there is no such file, SourceError where it holds anything but tensors,
    or other ones than the module has. No code in the file is run.
    """
    if not path.is_file():
        raise UsageError(f"No such file: {path} (--weights)")
    state = _read(path)
    missing, unexpected = module.load_state_dict(state, strict=False)
    if missing or unexpected:
        said = [
            *([f"lack {_named(missing)}"] if missing else []),
            *([f"have {_named(unexpected)}, which the module has not"] if unexpected else []),
        ]
        raise SourceError(f"The weights in {path} {' and '.join(said)}. Name their own class.")


def _read(path: Path) -> dict[str, Any]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        try:
            return dict(load_file(path))
        except Exception as error:
            raise SourceError(f"{path} is not a .safetensors file: {first_line(error)}.") from error
    if is_script(path):
        raise SourceError(f"{path} is TorchScript, not weights. Save model.state_dict() instead.")
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise SourceError(
            f"{path} holds more than weights, or is damaged: {first_line(error)}. "
            "Save model.state_dict() instead."
        ) from error
    for part in PARTS:
        if isinstance(found, dict) and isinstance(found.get(part), dict):
            found = found[part]
    is_state = isinstance(found, dict) and all(torch.is_tensor(value) for value in found.values())
    if not is_state:
        raise SourceError(f"{path} is not a dict of tensors by name, as model.state_dict() is.")
    return dict(found)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"
