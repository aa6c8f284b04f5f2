"""The file around a Keras model, looked at before Keras believes what it says."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import h5py

from edgekit_runtimes.errors import SourceError, first_line

# What zipfile raises for archives that it takes for one: of their directory, members and methods.
ZIP_FAULTS = (
    *(zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, OverflowError),
    *(RuntimeError, NotImplementedError),
)

# Keras stores members as they are, and real weights deflate to no less than a twentieth. What is
# small is unpacked in no time, whatever it says.
SMALL_BYTES = 100_000_000
MOST_TIMES_LARGER = 20


def check_container(path: Path) -> None:
    """Raise SourceError where the file cannot be a model.

    Keras's own words for that are misleading ("File not found").
    """
    if path.suffix == ".keras":
        _check_archive(path)
    else:
        _check_hdf5(path)


def _check_archive(path: Path) -> None:
    if not zipfile.is_zipfile(path):
        raise SourceError(
            f"{path} is damaged or cut off: a .keras file is a zip archive, and this is not "
            "one. Get it again."
        )
    try:
        with zipfile.ZipFile(path) as archive:
            if "config.json" not in archive.namelist():
                raise SourceError(f"{path} is a zip archive without a Keras model (config.json).")
            promised = sum(info.file_size for info in archive.infolist())
            if promised > max(SMALL_BYTES, MOST_TIMES_LARGER * path.stat().st_size):
                raise SourceError(
                    f"{path} takes {path.stat().st_size / 1e6:.1f} MB and says that it unpacks to "
                    f"{promised / 1e6:,.0f} MB, which no weights do. It is not opened: get it "
                    "again from where it comes from."
                )
            # Keras reads the weights by h5py, which does not look at the archive's checksums.
            damaged = archive.testzip()
    except ZIP_FAULTS as error:
        raise SourceError(
            f"{path} is damaged or cut off: {first_line(error)}. Get it again."
        ) from error
    if damaged:
        raise SourceError(
            f"{path} is damaged: its member '{damaged}' does not match its checksum. Get it again."
        )


def _check_hdf5(path: Path) -> None:
    try:
        with h5py.File(path) as file:
            has_model = "model_config" in file.attrs
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise SourceError(
            f"{path} is damaged, cut off or not an HDF5 file: {first_line(error)}. Get it again."
        ) from error
    if not has_model:
        raise SourceError(
            f"{path} holds no model, only its weights at most. Save the whole model: "
            "model.save('model.keras')."
        )
