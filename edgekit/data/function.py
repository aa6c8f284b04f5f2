"""Samples from the user's own function."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.data.checks import check_no_more, find_key, input_keys
from edgekit.data.dataset import Sample
from edgekit_runtimes.errors import DataError, EdgekitError, first_line
from edgekit_runtimes.tensors import Array, TensorSpec

LABEL = "y"


class FunctionReader:
    """What `module:function` yields: one dict per sample, without batch axis, label under `y`.

    The function is called again for each pass, and once at the start for its first sample. The
    module is looked for in the working folder first.
    """

    length: int | None = None
    resize: tuple[int, int] | None = None
    class_names: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def __init__(self, text: str, inputs: Sequence[TensorSpec]) -> None:
        """Import the function. Raises DataError if module or function are missing."""
        self.name = text
        self._keys = input_keys(inputs)
        self._function = import_function(text)
        self._entries: Any = None

    def read(self, chosen: Sequence[int] | None) -> Iterator[tuple[int, Sample]]:
        """Yield the samples with their numbers; `chosen` is None: the length is not known."""
        number = 0
        try:
            entries = self._function()
            if entries is self._entries and iter(entries) is entries:
                raise DataError(
                    f"{self.name} returned the same iterator twice. Samples are read several "
                    "times: make each call start again (yield them in the function itself)."
                )
            self._entries = entries
            for entry in entries:
                yield number, self._sample(number, entry)
                number += 1
        except EdgekitError:
            raise
        except Exception as error:
            raise DataError(
                f"{self.name} failed at sample {number}: {type(error).__name__}: "
                f"{first_line(error)}"
            ) from error

    def _sample(self, number: int, entry: Any) -> Sample:
        where = f"{self.name}: sample {number}"
        if not isinstance(entry, Mapping):
            raise DataError(
                f"{where} is a {type(entry).__name__}; yield a dict with an array for each input: "
                f"{', '.join(self._keys)}."
            )
        found = {name: find_key(where, keys, entry) for name, keys in self._keys.items()}
        check_no_more(where, entry, [*found.values(), LABEL])
        label = entry.get(LABEL) if LABEL not in found.values() else None
        return Sample(
            {name: _array(where, entry[key]) for name, key in found.items()},
            None if label is None else _array(where, label),
        )


def _array(where: str, value: Any) -> Array:
    try:
        return np.asarray(value)
    except Exception as error:
        raise DataError(f"{where} is not an array of numbers: {first_line(error)}") from error


def import_function(text: str) -> Callable[..., Any]:
    """Return the function that "module:function" names, looked for in the working folder first.

    Raises DataError if module or function are missing.
    """
    module_name, name = text.split(":")
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        # A script without a main guard may call sys.exit while it is imported.
        raise DataError(
            f"{text}: the module '{module_name}' could not be imported from {folder} or this "
            f"Python's packages: {type(error).__name__}: {first_line(error)}"
        ) from error
    function = getattr(module, name, None)
    if not callable(function):
        raise DataError(f"{text}: the module '{module_name}' has no function '{name}'.")
    return function  # type: ignore[no-any-return]
