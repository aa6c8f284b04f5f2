"""Keras models: `.keras` and `.h5`, of Keras 3 and of Keras 2."""

from __future__ import annotations

from edgekit_converters.sources.source import SourceKind

_LOADER = f"{__name__}.load:load"
_OPTIONS = ("input_shapes", "unsafe", "imports")

SOURCES = (
    SourceKind(
        name="keras",
        title=".keras files",
        description="what model.save() writes",
        loader=_LOADER,
        suffixes=(".keras",),
        options=_OPTIONS,
        extra="convert",
    ),
    SourceKind(
        name="h5",
        title=".h5 files",
        description="the same in HDF5, of Keras 2 too; also .hdf5",
        loader=_LOADER,
        suffixes=(".h5", ".hdf5"),
        options=_OPTIONS,
        extra="convert",
    ),
)
