"""TF.js models: graph models and layers models, a model.json with its weights beside it."""

from __future__ import annotations

from edgekit_converters.sources.source import SourceKind

SOURCES = (
    SourceKind(
        name="tfjs",
        title="TF.js models",
        description="a model.json, or its folder: graph models and layers models",
        loader=f"{__name__}.load:load",
        suffixes=(".json",),
        folder_files=("model.json",),
        options=("input_shapes", "unsafe", "imports"),
        extra="convert",
        engine="tfjs",
        files=f"{__name__}.files:files_of",
    ),
)
