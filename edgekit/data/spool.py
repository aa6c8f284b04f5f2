"""Samples written to .npy files, as a job takes them."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edgekit.data.dataset import Dataset
from edgekit_runtimes.errors import DataError, EdgekitError, map_exceptions
from edgekit_runtimes.tensors import Array


@dataclass(frozen=True)
class SpooledSamples:
    """Where the samples were written: one .npy per input, samples along the first axis.

    labels: None if the dataset has none.
    """

    inputs: dict[str, Path]
    labels: Path | None
    count: int


def spool(
    dataset: Dataset,
    folder: Path,
    limit: int | None = None,
    max_bytes: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> SpooledSamples:
    """Write samples in the user's own dtype, before preprocessing, one at a time.

    limit: read only this many, from the first on. max_bytes: of all inputs together; one sample is
    always written.
    progress: called with the number of samples written so far.
    Raises DataError if samples differ in shape or dtype, EdgekitError if `folder` cannot be
    written; no file stays then.
    """
    if max_bytes is not None:
        most = max(1, max_bytes // max(1, dataset.sample_bytes))
        limit = most if limit is None else min(limit, most)
    # Numbered, because a name from a model may hold what a file's name must not.
    paths = {spec.name: folder / f"input{n}.npy" for n, spec in enumerate(dataset.inputs)}
    labels = folder / "labels.npy" if dataset.labelled else None
    count = 0
    try:
        with (
            map_exceptions(f"Samples could not be written to {folder}", EdgekitError, OSError),
            contextlib.ExitStack() as stack,
        ):
            folder.mkdir(parents=True, exist_ok=True)
            writers = {
                name: stack.enter_context(_NpyWriter(path, f"{dataset.name}: input '{name}'"))
                for name, path in paths.items()
            }
            label_writer = (
                stack.enter_context(_NpyWriter(labels, f"{dataset.name}: the label"))
                if labels
                else None
            )
            for sample in itertools.islice(dataset, limit):
                for name, writer in writers.items():
                    writer.append(sample.arrays[name])
                if label_writer and sample.label is not None:
                    label_writer.append(sample.label)
                count += 1
                if progress:
                    progress(count)
    except BaseException:
        for path in (*paths.values(), *([labels] if labels else [])):
            with contextlib.suppress(OSError):
                path.unlink()
        raise
    return SpooledSamples(paths, labels, count)


class _NpyWriter:
    """A .npy file that grows by one entry at a time."""

    def __init__(self, path: Path, where: str) -> None:
        self._where = where
        self._file = path.open("wb")
        self._shape: tuple[int, ...] = ()
        self._dtype: np.dtype[Any] | None = None
        self._count = 0

    def __enter__(self) -> _NpyWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        with self._file:
            if self._dtype is not None:
                # numpy leaves room in the header for the first axis to grow.
                self._file.seek(0)
                self._write_header()

    def append(self, array: Array) -> None:
        dtype = array.dtype.newbyteorder("=")
        if self._dtype is None:
            self._shape, self._dtype = array.shape, dtype
            self._write_header()
        if (array.shape, dtype) != (self._shape, self._dtype):
            raise DataError(
                f"{self._where} is {dtype}{list(array.shape)} in sample {self._count} and "
                f"{self._dtype}{list(self._shape)} before. Samples must be alike."
            )
        self._file.write(np.ascontiguousarray(array, dtype).tobytes())
        self._count += 1

    def _write_header(self) -> None:
        if self._dtype is not None:
            header = {
                "descr": np.lib.format.dtype_to_descr(self._dtype),
                "fortran_order": False,
                "shape": (self._count, *self._shape),
            }
            np.lib.format.write_array_header_1_0(self._file, header)
