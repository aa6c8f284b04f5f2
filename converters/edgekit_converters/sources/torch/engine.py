"""PyTorch as an engine: the original module, at full precision, in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgekit_runtimes.errors import EngineError, map_exceptions
from edgekit_runtimes.tensors import Arrays, TensorSpec

if TYPE_CHECKING:
    from edgekit_converters.sources.torch.program import Original

NAME = "torch"
PACKAGE = "torch"
# Imported before the clock of `load` starts: what a library takes to import is not the model's.
IMPORT_NAME = "edgekit_converters.sources.torch.original"
FORMAT = "source"


def version() -> str:
    """Return PyTorch's version."""
    return metadata.version(PACKAGE)


def load(path: Path, options: Mapping[str, Any]) -> TorchModel:
    """Load a module or .pt2 file as it is. Raises SourceError or UsageError.

    options: threads (default 1), and "input_shapes", "dtypes" and "weights" as SourceOptions has
    them.
    """
    import torch

    from edgekit_converters.sources.source import SourceOptions
    from edgekit_converters.sources.torch.original import open_original

    torch.set_num_threads(options.get("threads", 1))
    shapes = {name: tuple(shape) for name, shape in options.get("input_shapes", {}).items()}
    weights = options.get("weights")
    return TorchModel(
        open_original(
            path,
            SourceOptions(shapes, dtypes=options.get("dtypes", {}), weights=weights),
        )
    )


class TorchModel:
    """A module, called as PyTorch calls it. Its tensors have their own order of axes."""

    def __init__(self, original: Original) -> None:
        self._original = original
        self.inputs: tuple[TensorSpec, ...] = original.input_specs
        self.outputs: tuple[TensorSpec, ...] = original.output_specs

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for one sample. Raises EngineError."""
        with map_exceptions("PyTorch cannot run the original", EngineError):
            return self._original.run(inputs)

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        """Turn the inputs into tensors and return a function that runs the module on them."""
        return self._original.bind(inputs)
