"""A Keras file: checked as a container, and what it says of itself, before anything is loaded."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import h5py

from edgekit_runtimes.errors import SourceError, first_line, map_exceptions

# What zipfile raises for archives that it takes for one: of their directory, members and methods.
ZIP_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError),
    *(RuntimeError, NotImplementedError),
)

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"

# Keras stores weights as they are, so a file is about as large as what it declares; compressed by
# hand, a net with most weights at zero may reach a tenth. What declares more than both of these is
# not unpacked: deflate gets a thousand times as much, and HDF5 any size, out of nothing.
MOST_EXPANSION = 20
MOST_BYTES = 100_000_000


@dataclass(frozen=True)
class KerasFile:
    """What a Keras file says of itself.

    config: the model's configuration, as JSON has it. version: of the Keras that wrote the file;
    "" where it does not say.
    """

    path: Path
    config: Any
    version: str

    @property
    def is_legacy(self) -> bool:
        """Whether Keras 2 wrote the file, or one before it."""
        if not self.version:
            return self.path.suffix != ".keras"
        return self.version.partition(".")[0] in ("0", "1", "2")


def read_file(path: Path) -> KerasFile:
    """Check a `.keras` or HDF5 file and return what it says of itself; nothing in it is run.

    Raises SourceError where the file cannot be a model, is damaged, or declares far more than it
    can hold. Keras's own words for that are misleading ("File not found").
    """
    return _read_archive(path) if path.suffix == ".keras" else _read_hdf5(path)


def _read_archive(path: Path) -> KerasFile:
    if not zipfile.is_zipfile(path):
        raise SourceError(
            f"{path} is damaged or cut off: a .keras file is a zip archive, and this is not "
            "one. Get it again."
        )
    try:
        return _read_members(path)
    except ZIP_FAULTS as error:
        raise SourceError(
            f"{path} is damaged or cut off: {first_line(error)}. Get it again."
        ) from error


def _read_members(path: Path) -> KerasFile:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if CONFIG not in names:
            raise SourceError(f"{path} is a zip archive without a Keras model ({CONFIG}).")
        _check_size(path, sum(member.file_size for member in archive.infolist()))
        # Keras reads the weights by h5py, which does not look at the archive's checksums.
        damaged = archive.testzip()
        if damaged:
            raise SourceError(
                f"{path} is damaged: its member '{damaged}' does not match its checksum. "
                "Get it again."
            )
        with map_exceptions(f"{path} is damaged: its configuration is not JSON", SourceError):
            config = json.loads(archive.read(CONFIG))
            metadata = json.loads(archive.read(METADATA)) if METADATA in names else {}
        if WEIGHTS in names:
            with archive.open(WEIGHTS) as member:
                # Of what is compressed, each step back is unpacked again from the start.
                is_stored = archive.getinfo(WEIGHTS).compress_type == zipfile.ZIP_STORED
                weights = member if is_stored else io.BytesIO(member.read())
                _check_size(path, _declared(weights))
    return KerasFile(path, config, str(metadata.get("keras_version", "")))


def _read_hdf5(path: Path) -> KerasFile:
    try:
        with h5py.File(path) as file:
            config, version = (file.attrs.get(name) for name in ("model_config", "keras_version"))
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise SourceError(
            f"{path} is damaged, cut off or not an HDF5 file: {first_line(error)}. Get it again."
        ) from error
    if config is None:
        raise SourceError(
            f"{path} holds no model, only its weights at most. Save the whole model: "
            "model.save('model.keras')."
        )
    _check_size(path, _declared(path))
    with map_exceptions(f"{path} is damaged: its configuration is not JSON", SourceError):
        return KerasFile(path, json.loads(config), _text(version))


def _declared(file: Path | IO[bytes]) -> int:
    """Return how many bytes the arrays of an HDF5 file take once they are read."""
    sizes: list[int] = []

    def add(_: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            sizes.append(int(item.nbytes))

    try:
        with h5py.File(file) as opened:
            opened.visititems(add)
    except (OSError, RuntimeError, KeyError):
        # The reader says what is wrong with it.
        return 0
    return sum(sizes)


def _check_size(path: Path, declared: int) -> None:
    size = path.stat().st_size
    if declared > max(MOST_BYTES, MOST_EXPANSION * size):
        raise SourceError(
            f"{path} has {size / 1e6:,.1f} MB and declares {declared / 1e9:,.1f} GB of weights, "
            "which Keras would have written uncompressed: it is not unpacked. Get the file again, "
            "or save the model again with model.save('model.keras')."
        )


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value or "")
