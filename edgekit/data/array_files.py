"""Samples from .npz and .npy files.

Read through numpy's header and a stream, sample by sample: neither `np.load` of a whole array nor
a memory map, whose pages count as this process's memory.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from edgekit.data.checks import (
    check_dtype,
    check_label,
    check_no_more,
    check_shape,
    find_key,
    input_keys,
)
from edgekit.data.dataset import Part, Sample
from edgekit.data.npy import read_header
from edgekit_runtimes.errors import DataError, UsageError, map_exceptions
from edgekit_runtimes.tensors import Array, TensorSpec, is_batched, sample_shape

# Big enough that the loop costs nothing beside inflating.
SKIP_BYTES = 1 << 16

# What the first samples of an array in Fortran order may take; more are worth a temporary file.
FEW_BYTES = 32_000_000

Opener = Callable[[], contextlib.AbstractContextManager[IO[bytes]]]

# What reading a damaged file raises: zlib inside a member, zipfile around it, NotImplementedError
# and RuntimeError on unknown or encrypted members.
DAMAGE = (
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(frozen=True)
class StoredArray:
    """An array in a file, whose entries along the first axis are read one by one.

    where: how messages name it.
    offset: bytes before the values. fortran: the first axis varies fastest.
    """

    where: str
    file: Path
    open: Opener
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    offset: int

    def entries(self, numbers: Sequence[int]) -> Iterator[Array]:
        """Yield the entries with the given ascending numbers."""
        with _damage_reported(self.file), self.open() as stream:
            yield from (
                self._strided(stream, numbers) if self.fortran else self._rows(stream, numbers)
            )

    def _rows(self, stream: IO[bytes], numbers: Sequence[int]) -> Iterator[Array]:
        shape = self.shape[1:]
        size = math.prod(shape) * self.dtype.itemsize
        position = 0
        for number in numbers:
            start = self.offset + number * size
            _move(stream, position, start)
            values = stream.read(size)
            position = start + len(values)
            if len(values) != size:
                raise DataError(f"{self.file} is cut off at sample {number}. Get it again.")
            yield np.frombuffer(values, self.dtype).reshape(shape)

    def _strided(self, stream: IO[bytes], numbers: Sequence[int]) -> Iterator[Array]:
        """Yield entries of an array in Fortran order, as pandas makes them.

        Each lies scattered over the whole array, so it is mapped: from a temporary file where it
        is in an archive. The first ones are gathered on the way through the archive instead: a
        few samples are often all that is wanted.
        """
        with contextlib.ExitStack() as stack:
            if isinstance(stream, zipfile.ZipExtFile):
                first = self._few(numbers)
                yield from self._gathered(stream, first)
                numbers = numbers[len(first) :]
                if not numbers:
                    return
                stream = stack.enter_context(self.open())
                copy = stack.enter_context(tempfile.TemporaryFile())
                shutil.copyfileobj(stream, copy)
                copy.flush()
                stream = copy
            mapped = np.memmap(stream, self.dtype, "r", self.offset, self.shape, "F")
            for number in numbers:
                yield np.array(mapped[number], order="C")

    def _few(self, numbers: Sequence[int]) -> Sequence[int]:
        """Return those of the numbers, from the first on, whose entries fit into FEW_BYTES.

        So do the values from the first to the last of them along the first axis.
        """
        entry = max(1, math.prod(self.shape[1:]) * self.dtype.itemsize)
        few = numbers[: max(1, FEW_BYTES // entry)]
        reach = FEW_BYTES // self.dtype.itemsize
        return [number for number in few if number - few[0] < reach]

    def _gathered(self, stream: IO[bytes], numbers: Sequence[int]) -> Iterator[Array]:
        """Yield entries picked out of a stream, which is read once; all of them are in memory."""
        length, itemsize = self.shape[0], self.dtype.itemsize
        columns = math.prod(self.shape[1:])
        start, reach = numbers[0], numbers[-1] - numbers[0] + 1
        places = np.array(numbers) - start
        # Of long columns only what is wanted is read; many short ones are read at once.
        together = max(1, SKIP_BYTES // (length * itemsize))
        picked = np.empty((columns, len(numbers)), self.dtype)
        position = 0
        for column in range(0, columns, together):
            count = min(together, columns - column)
            begin = self.offset + (column * length + (start if count == 1 else 0)) * itemsize
            width = reach if count == 1 else length
            _move(stream, position, begin)
            values = stream.read(count * width * itemsize)
            position = begin + len(values)
            if len(values) != count * width * itemsize:
                raise DataError(f"{self.file} is cut off at sample {numbers[0]}. Get it again.")
            block = np.frombuffer(values, self.dtype).reshape(count, width)
            picked[column : column + count] = block[:, places + (start if count > 1 else 0)]
        for number in range(len(numbers)):
            yield np.array(picked[:, number].reshape(self.shape[1:], order="F"), order="C")


def _move(stream: IO[bytes], position: int, start: int) -> None:
    if start != position and not isinstance(stream, zipfile.ZipExtFile):
        stream.seek(start)
        return
    # A member's own seek reads 16 MiB at once.
    while position < start and (skipped := stream.read(min(start - position, SKIP_BYTES))):
        position += len(skipped)


class ArrayReader:
    """The samples of a .npz or .npy file."""

    resize: tuple[int, int] | None = None
    class_names: tuple[str, ...] = ()

    def __init__(
        self,
        path: Path,
        inputs: Sequence[TensorSpec],
        arrays: dict[str, StoredArray],
        labels: StoredArray | None = None,
        notes: tuple[str, ...] = (),
        either: frozenset[str] = frozenset(),
    ) -> None:
        """Check shapes, dtypes and lengths, from the headers alone.

        either: inputs whose shapes are not checked here, since they may be in either order of axes.
        """
        self.name = str(path)
        self.notes = notes
        self._arrays = arrays
        self._labels = labels
        batched = is_batched(inputs)
        for spec in inputs:
            array = arrays[spec.name]
            if array.shape[:1] == (0,):
                raise DataError(f"{array.where} holds no samples; at least one is needed.")
            check_dtype(array.where, array.dtype)
            if spec.name not in either:
                check_shape(array.where, array.shape, sample_shape(spec, batched), stacked=True)
        if labels is not None:
            check_dtype(labels.where, labels.dtype)
            check_label(labels.where, np.zeros(0, labels.dtype))
        columns = [*arrays.values(), *([labels] if labels else [])]
        lengths = {array.where: array.shape[0] if array.shape else 0 for array in columns}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"{where} has {length}" for where, length in lengths.items())
            raise DataError(f"Different numbers of samples: {found}. They must be the same.")
        self.length: int | None = columns[0].shape[0]

    def read(self, chosen: Sequence[int] | None) -> Iterator[tuple[int, Sample]]:
        """Yield the samples `chosen` with their numbers."""
        numbers = range(self.length or 0) if chosen is None else chosen
        columns = [array.entries(numbers) for array in self._arrays.values()]
        labels = self._labels.entries(numbers) if self._labels else (None for _ in numbers)
        for number, label, *values in zip(numbers, labels, *columns, strict=True):
            yield number, Sample(dict(zip(self._arrays, values, strict=True)), label)


def open_npy(
    path: Path, inputs: Sequence[TensorSpec], either: frozenset[str] = frozenset()
) -> ArrayReader:
    """Open a .npy file as the samples of a model's only input.

    Raises UsageError if the model has several inputs, DataError if the file is damaged or
    does not fit.
    """
    if len(inputs) > 1:
        raise UsageError(
            f"{path} holds one array, and the model has {len(inputs)} inputs: "
            f"{', '.join(spec.name for spec in inputs)}. Put them into one .npz, named so."
        )

    def open_file() -> IO[bytes]:
        return path.open("rb")

    with _damage_reported(path):
        array = _read_header(path, str(path), open_file, path.stat().st_size)
    return ArrayReader(path, inputs, {inputs[0].name: array}, either=either)


def open_npz(
    path: Path, inputs: Sequence[TensorSpec], part: Part, either: frozenset[str] = frozenset()
) -> ArrayReader:
    """Open a .npz file: arrays named as the inputs (or `x` for a model with one), labels `y`.

    Raises DataError if the file is damaged, names are missing or unknown, or arrays do not fit.
    """
    with _damage_reported(path):
        with zipfile.ZipFile(path) as archive:
            sizes = {
                info.filename.removesuffix(".npy"): info.file_size
                for info in archive.infolist()
                if info.filename.endswith(".npy")
            }
        keys = input_keys(inputs)
        stems = [*dict.fromkeys(key for names in keys.values() for key in names)]
        check_no_more(
            str(path), sizes, dict.fromkeys(s + t for s in [*stems, "y"] for t in ("", "_test"))
        )
        has_test = any(f"{stem}_test" in sizes for stem in stems)
        suffix = "_test" if part == "evaluation" and has_test else ""
        found = {name: find_key(str(path), keys[name], sizes, suffix) for name in keys}

        def stored(member: str) -> StoredArray:
            @contextlib.contextmanager
            def open_member() -> Iterator[IO[bytes]]:
                with zipfile.ZipFile(path) as archive, archive.open(f"{member}.npy") as stream:
                    yield stream

            return _read_header(path, f"{path}: '{member}'", open_member, sizes[member])

        label = f"y{suffix}"
        labelled = label in sizes and label not in found.values()
        notes: tuple[str, ...] = ()
        if suffix and not labelled and "y" in sizes:
            notes = (f"{path} has labels 'y' but no 'y_test' for its test samples.",)
        return ArrayReader(
            path,
            inputs,
            {name: stored(member) for name, member in found.items()},
            stored(label) if labelled else None,
            notes,
            either,
        )


def _read_header(path: Path, where: str, opener: Opener, size: int) -> StoredArray:
    with opener() as stream:
        header = read_header(stream)
    shape, dtype = header.shape, header.dtype
    if not dtype.hasobject and size < header.offset + header.bytes:
        raise ValueError(f"its header promises shape {shape} of {dtype}, and values are missing")
    return StoredArray(where, path, opener, shape, dtype, header.fortran, header.offset)


@contextlib.contextmanager
def _damage_reported(path: Path) -> Iterator[None]:
    with (
        map_exceptions(f"{path} could not be read", DataError, OSError),
        map_exceptions(f"{path} is damaged or cut off, get it again", DataError, *DAMAGE),
    ):
        yield
