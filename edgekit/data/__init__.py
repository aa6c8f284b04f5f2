"""Data: samples for calibration and evaluation, read one at a time.

    dataset = open_data("digits.npz", inputs, "calibration")
    for sample in dataset: ...            samples as the user stored them
    dataset.model_inputs(limit=300)       the same, ready for the model

Memory does not grow with the number of samples, wherever they come from.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edgekit.data.array_files import open_npy, open_npz
from edgekit.data.dataset import DataOptions, Dataset, Part, Reader, Sample
from edgekit.data.function import FunctionReader
from edgekit.data.images import ImageReader
from edgekit.data.noise import NOISE_GENERATOR, arrays_hash, noise
from edgekit.data.spool import SpooledSamples, spool
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.reordered import Axes
from edgekit_runtimes.tensors import Preprocessing, TensorSpec

__all__ = [
    "NOISE_GENERATOR",
    "DataOptions",
    "Dataset",
    "Part",
    "Sample",
    "SpooledSamples",
    "arrays_hash",
    "noise",
    "open_data",
    "spool",
    "stored_options",
]

ACCEPTED = (
    "Data is a .npz file, a .npy file, a folder of images, or module:function yielding one dict "
    "per sample."
)


def open_data(
    text: str,
    inputs: Sequence[TensorSpec],
    part: Part,
    options: DataOptions | None = None,
    axes: Axes | None = None,
) -> Dataset:
    """Open what the user named and check it against the model, its first sample included.

    part: "evaluation" prefers the arrays of a .npz whose names end in `_test`.
    axes: the source's order of axes, by input, which arrays may have as well as the model's.
    Raises UsageError if `text` names nothing that can be read, DataError if the data does
    not fit `inputs`.
    """
    options = options or DataOptions()
    reader = _open_reader(text, inputs, part, options, frozenset(axes or ()))
    if options.resize and reader.resize is None:
        raise UsageError(f"--resize is for folders of images, and {text} is not one. Leave it out.")
    return Dataset(reader, inputs, options, axes)


def stored_options(preprocessing: Preprocessing, text: str) -> DataOptions:
    """Return what a bundle recorded as the options for other data, named by `text`.

    Images are resized as the bundle's were; other data has the model's shape already.
    """
    resize = preprocessing.resize if Path(text).is_dir() else None
    return DataOptions(resize, preprocessing.scale, preprocessing.mean, preprocessing.std)


def _open_reader(
    text: str,
    inputs: Sequence[TensorSpec],
    part: Part,
    options: DataOptions,
    either: frozenset[str],
) -> Reader:
    path = Path(text)
    suffix = path.suffix.lower()
    if text and path.is_dir():
        return ImageReader(path, inputs, options.resize)
    if path.exists():
        if suffix == ".npz":
            return open_npz(path, inputs, part, either)
        if suffix == ".npy":
            return open_npy(path, inputs, either)
        raise UsageError(f"{text} is not data that edgekit reads. {ACCEPTED}")
    if re.fullmatch(r"[^\W\d][\w.]*:[^\W\d]\w*", text):
        return FunctionReader(text, inputs)
    if suffix or len(path.parts) > 1:
        raise UsageError(f"No such file or folder: {text}")
    raise UsageError(f"'{text}' is not a file, a folder or module:function. {ACCEPTED}")
