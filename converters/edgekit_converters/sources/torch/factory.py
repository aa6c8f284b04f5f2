"""A module of the user's own code: what module:factory returns, ready to be exported."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from edgekit_converters.sources.source import SourceOptions, see_working_folder
from edgekit_converters.sources.torch.weights import load_weights
from edgekit_runtimes.errors import SourceError, UsageError, first_line

TAKES_TENSORS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def make_module(text: str, options: SourceOptions) -> Any:
    """Return the module of a factory in eval mode, with its weights.

    Raises UsageError where module or function are missing, SourceError where it fails or returns
    something else.
    """
    module_name, name = text.split(":")
    folder = see_working_folder()
    try:
        found = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise UsageError(
            f"{text}: {module_name} could not be imported from {folder} or this Python's "
            f"packages: {type(error).__name__}: {first_line(error)}"
        ) from error
    factory = getattr(found, name, None)
    if not callable(factory):
        raise UsageError(f"{text}: there is no function {name} in {module_name}.")
    try:
        made = factory()
    except Exception as error:
        raise SourceError(
            f"{text} failed: {type(error).__name__}: {first_line(error)}. It is called without "
            "arguments."
        ) from error
    if not isinstance(made, torch.nn.Module):
        raise SourceError(
            f"{text} returned a {type(made).__name__}, and a torch.nn.Module is wanted. Of a Keras "
            "model, bring the .keras file."
        )
    if options.weights is not None:
        load_weights(made, Path(options.weights))
    return made.eval()


def example_inputs(
    module: Any, text: str, shapes: Mapping[str, tuple[int, ...]], dtypes: Mapping[str, str]
) -> dict[str, Any]:
    """Return an input of zeros for each parameter of forward() that has a shape, in its order.

    Raises UsageError where shapes are missing, or name what forward() does not take.
    """
    parameters = inspect.signature(module.forward).parameters
    takes = {name: one for name, one in parameters.items() if one.kind in TAKES_TENSORS}
    unknown = [name for name in shapes if name not in takes]
    needed = [name for name, one in takes.items() if one.default is inspect.Parameter.empty]
    if unknown:
        raise UsageError(
            f"--input-shape names '{unknown[0]}', and forward() of {text} takes "
            f"{', '.join(takes) or 'nothing'}."
        )
    missing = [name for name in needed if name not in shapes]
    if missing:
        say = " ".join(f"--input-shape {name}=1,3,224,224" for name in missing)
        raise UsageError(
            f"The shapes of {', '.join(missing)} are not known. Say them, as in: {say}. Integers "
            "are written so: ids=1,16:int64."
        )
    given = [name for name in takes if name in shapes]
    skipped = [name for name in list(takes)[: len(given)] if name not in shapes]
    if skipped:
        raise UsageError(f"--input-shape leaves out '{skipped[0]}', which comes before another.")
    return {name: torch.zeros(shapes[name], dtype=_dtype(name, dtypes)) for name in given}


def _dtype(name: str, dtypes: Mapping[str, str]) -> Any:
    word = dtypes.get(name, "float32")
    found = getattr(torch, word, None)
    if not isinstance(found, torch.dtype):
        raise UsageError(f"--input-shape {name}=…:{word}: there is no dtype {word}. Try int64.")
    return found
