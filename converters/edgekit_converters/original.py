"""The original as an engine: the source in TensorFlow, at full precision, in a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from edgekit_runtimes.errors import EngineError, map_exceptions
from edgekit_runtimes.tensors import Arrays, TensorSpec

NAME = "tensorflow"
PACKAGE = "tensorflow"
# Imported before the clock of `load` starts: what a library takes to import is not the model's.
IMPORT_NAME = "edgekit_converters.sources.keras.load"
FORMAT = "source"


def version() -> str:
    """Return TensorFlow's version."""
    return metadata.version(PACKAGE)


def load(path: Path, options: Mapping[str, Any]) -> OriginalModel:
    """Load a source. Raises SourceError or UsageError.

    options: threads (default 1), and "signature", "input_shapes", "unsafe" and "imports" as
    SourceOptions has them.
    """
    import tensorflow as tf

    from edgekit_converters.sources import SourceOptions, load_source

    # TensorFlow takes its thread counts only before its first operation.
    tf.config.threading.set_intra_op_parallelism_threads(options.get("threads", 1))
    tf.config.threading.set_inter_op_parallelism_threads(1)
    source = load_source(
        path,
        SourceOptions(
            input_shapes={
                name: tuple(shape) for name, shape in options.get("input_shapes", {}).items()
            },
            signature=options.get("signature"),
            unsafe=options.get("unsafe", False),
            imports=tuple(options.get("imports", ())),
        ),
    )
    return OriginalModel(source)


class OriginalModel:
    """A source, called as its own framework calls it."""

    def __init__(self, source: Any) -> None:
        self._source = source
        self.inputs: tuple[TensorSpec, ...] = source.graph.input_specs
        self.outputs: tuple[TensorSpec, ...] = source.graph.output_specs

    def run(self, inputs: Arrays) -> Arrays:
        """Return the outputs for one sample. Raises EngineError."""
        with map_exceptions("TensorFlow cannot run the original", EngineError):
            return dict(self._source.run(inputs))

    def bind(self, inputs: Arrays) -> Callable[[], object]:
        """Turn the inputs into tensors and return a function that runs the model on them."""
        import tensorflow as tf

        tensors = {name: tf.constant(array) for name, array in inputs.items()}
        run = self._source.run

        def call() -> object:
            return run(tensors)

        return call
