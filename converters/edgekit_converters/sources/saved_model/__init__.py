"""SavedModel folders, as `model.export()` and `tf.saved_model.save()` write them."""

from __future__ import annotations

from edgekit_converters.sources.source import SourceKind

SOURCES = (
    SourceKind(
        name="saved_model",
        title="SavedModel folders",
        description="what model.export() and tf.saved_model.save() write",
        loader=f"{__name__}.load:load",
        folder_files=("saved_model.pb", "saved_model.pbtxt"),
        options=("input_shapes", "signature"),
        extra="convert",
    ),
)
