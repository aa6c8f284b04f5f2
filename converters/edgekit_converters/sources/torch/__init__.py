"""PyTorch: modules that a function of the user makes, and files that torch.export writes."""

from __future__ import annotations

from edgekit_converters.sources.source import SourceKind

ENGINE = f"{__name__}.engine"

SOURCES = (
    SourceKind(
        name="torch",
        title="PyTorch modules",
        description="module:factory, a function that returns an nn.Module, with --input-shape",
        loader=f"{__name__}.load:load_factory",
        words=True,
        options=("input_shapes", "weights", "layout"),
        extra="torch",
        engine=ENGINE,
    ),
    SourceKind(
        name="pt2",
        title=".pt2 files",
        description="what torch.export.save() writes",
        loader=f"{__name__}.load:load_file",
        suffixes=(".pt2",),
        options=("layout",),
        extra="torch",
        engine=ENGINE,
    ),
    SourceKind(
        name="torch-pickle",
        title=".pt files",
        description="refused: they hold weights alone, or code",
        loader=f"{__name__}.refused:load",
        suffixes=(".pt", ".pth", ".safetensors"),
        options=(),
        extra="torch",
        is_listed=False,
    ),
)
