"""What can be wrong with samples, and what to say about it.

`where` begins each message: the file, the sample and the input.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from edgekit_runtimes.errors import DataError
from edgekit_runtimes.tensors import Array, Preprocessing, TensorSpec

NUMBER_KINDS = "biuf"
LABEL_KINDS = "iuf"


def check_shape(
    where: str, found: tuple[int, ...], wanted: tuple[int | None, ...], stacked: bool
) -> None:
    """Raise DataError if the shape `found` is not `wanted` (None fits every size).

    stacked: `found` is that of an array of many samples, `wanted` that of one.
    """
    sample = found[1:] if stacked else found
    if fits(sample, wanted) and (found or not stacked):
        return
    asked: tuple[int | str | None, ...] = ("N", *wanted) if stacked else wanted
    raise DataError(
        f"{where} has shape {_words(found)} and the model takes {_words(asked)}. "
        f"{_shape_remedy(found, sample, wanted, stacked)}"
    )


def _shape_remedy(
    found: tuple[int, ...],
    sample: tuple[int, ...],
    wanted: tuple[int | None, ...],
    stacked: bool,
) -> str:
    if stacked and fits(found, wanted):
        return "That is a single sample: add an axis for the samples, x[None]."
    if wanted and wanted[-1] == 1 and fits(sample, wanted[:-1]):
        return "The channel axis is missing: add it, x[..., None]."
    if len(sample) == 3 and fits((*sample[1:], sample[0]), wanted):
        return "The channels come first: move them last, np.moveaxis(x, -3, -1)."
    if sample[:1] == (1,) and fits(sample[1:], wanted):
        axis = "x[:, 0]" if stacked else "x[0]"
        return f"Each sample has its own batch axis: remove it, {axis}."
    if sample[-1:] == (1,) and fits(sample[:-1], wanted):
        return "There is a channel axis too many: remove it, x[..., 0]."
    sizes = [size for size in wanted if size is not None]
    if len(sizes) == len(wanted) and math.prod(sample) == math.prod(sizes):
        shape = ", ".join(map(str, ["len(x)", *sizes] if stacked else sizes))
        return f"The number of values is right: x.reshape({shape})."
    return "Prepare the data as the model was trained on it."


def fits(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> bool:
    """Whether a shape is the wanted one; None fits every size."""
    return len(shape) == len(wanted) and all(
        size in (None, found) for found, size in zip(shape, wanted, strict=True)
    )


def _words(shape: Sequence[int | str | None]) -> str:
    return "(" + ", ".join("?" if size is None else str(size) for size in shape) + ")"


def check_dtype(where: str, dtype: np.dtype[Any]) -> None:
    """Raise DataError if `dtype` is not one of numbers."""
    if dtype.hasobject:
        raise DataError(
            f"{where} holds Python objects, which could run code when they are read. "
            "Save it as an array of numbers."
        )
    if dtype.kind not in NUMBER_KINDS:
        raise DataError(f"{where} is {dtype}, and a model takes numbers. Convert it yourself.")


def ready_array(where: str, array: Array, dtype: str, preprocessing: Preprocessing) -> Array:
    """Return `array` as the model takes it. Raises DataError if a cast would lose values."""
    check_dtype(where, array.dtype)
    try:
        # float64 beyond float32 becomes infinity: `check_values` reports it.
        with np.errstate(over="ignore", invalid="ignore"):
            return preprocessing.apply(array, dtype)
    except DataError as error:
        raise DataError(
            f"{where} is {array.dtype} and the model takes {dtype}: the cast would change "
            f"values. Convert the data to {dtype} yourself."
        ) from error


def check_values(where: str, array: Array, ready: Array) -> None:
    """Raise DataError if there is NaN or infinity in `ready`, which was made from `array`."""
    if ready.dtype.kind != "f" or np.isfinite(ready).all():
        return
    if np.isnan(ready).any():
        found = "NaN"
    elif array.dtype.kind == "f" and not np.isfinite(array).all():
        found = "infinity"
    else:
        found = f"a value beyond {ready.dtype}"
    raise DataError(f"{where} holds {found}. Repair the sample or leave it out.")


def check_label(where: str, label: Array) -> None:
    """Raise DataError if a label is neither integers nor real numbers."""
    if label.dtype.kind not in LABEL_KINDS:
        raise DataError(
            f"{where}: labels are {label.dtype}; integers (or real numbers) are needed. "
            "Number the classes from 0."
        )
    if label.dtype.kind == "f" and not np.isfinite(label).all():
        raise DataError(f"{where}: the label is NaN or infinity. Repair it or leave it out.")


def input_keys(inputs: Sequence[TensorSpec]) -> dict[str, tuple[str, ...]]:
    """Return the names that the data of each input may have."""
    if len(inputs) == 1:
        name = inputs[0].name
        return {name: (name,) if name == "x" else (name, "x")}
    return {spec.name: (spec.name,) for spec in inputs}


def find_key(where: str, keys: tuple[str, ...], present: Iterable[str], suffix: str = "") -> str:
    """Return the one of `keys` (with `suffix`) that is present.

    Raises DataError if there is none, or more than one.
    """
    present = list(present)
    found = [key + suffix for key in keys if key + suffix in present]
    wanted = " or ".join(f"'{key}{suffix}'" for key in keys)
    if not found:
        held = ", ".join(f"'{name}'" for name in present) or "nothing"
        raise DataError(f"{where} has no {wanted} for input '{keys[0]}'; it holds {held}.")
    if len(found) > 1:
        raise DataError(
            f"{where} has '{found[0]}' and '{found[1]}', and either could be input '{keys[0]}'. "
            "Keep one."
        )
    return found[0]


def check_no_more(where: str, present: Iterable[str], known: Iterable[str]) -> None:
    """Raise DataError if a name of `present` is not in `known`."""
    known = list(known)
    unknown = [name for name in present if name not in known]
    if unknown:
        raise DataError(
            f"{where} holds {', '.join(map(repr, unknown))}, which means nothing to edgekit. "
            f"Known here: {', '.join(map(repr, known))}. Rename it or take it out."
        )
