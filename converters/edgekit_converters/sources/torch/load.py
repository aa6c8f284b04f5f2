"""Load PyTorch modules: exported, written as ONNX in memory, and imported from there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from edgekit_converters.sources.onnx.importing import ImportOptions, import_model
from edgekit_converters.sources.source import Source, SourceOptions
from edgekit_converters.sources.torch.export import export, to_onnx
from edgekit_converters.sources.torch.factory import example_inputs, make_module
from edgekit_converters.sources.torch.original import (
    module_original,
    program_original,
    read_program,
)
from edgekit_converters.sources.torch.program import Original
from edgekit_runtimes.errors import SourceError, map_exceptions
from edgekit_runtimes.reordered import inverse, ordered
from edgekit_runtimes.tensors import Arrays

# The newest that torch.onnx writes without converting versions.
OPSET = 20


def load_factory(path: Path, options: SourceOptions) -> Source:
    """Load what module:factory makes. The original is the module itself, in eval mode.

    Raises UsageError and SourceError.
    """
    module = make_module(str(path), options)
    inputs = example_inputs(module, str(path), options.input_shapes, options.dtypes)
    program, notes = export(module, inputs, str(path))
    return _source(path, program, module_original(module, inputs), options, notes)


def load_file(path: Path, options: SourceOptions) -> Source:
    """Load a .pt2 file. The original is its program, run by PyTorch.

    Raises SourceError; no code in the file is run.
    """
    program = read_program(path)
    return _source(path, program, program_original(program), options, ())


def _source(
    path: Path, program: Any, original: Original, options: SourceOptions, notes: tuple[str, ...]
) -> Source:
    inputs, outputs = ([spec.name for spec in specs] for specs in original.specs)
    with map_exceptions(f"{path} could not be written as ONNX by torch.onnx", SourceError):
        model = to_onnx(program, inputs, outputs, OPSET)
    imported = import_model(model, ImportOptions(layout=options.layout, path=path))
    axes = imported.axes
    back = {name: inverse(order) for name, order in axes.items()}

    def run(arrays: Mapping[str, object]) -> Arrays:
        given = ordered({name: np.asarray(x) for name, x in arrays.items()}, axes)
        return ordered(original.run(given), back)

    return Source(path, imported.graph, run, (*notes, *imported.notes), axes=axes)
