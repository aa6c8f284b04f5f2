"""What a source is: its kind, its options, and what loading it gives. Nothing heavy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph
    from edgekit_runtimes.tensors import Arrays

TENSORFLOW_ENGINE = "edgekit_converters.original"


@dataclass(frozen=True)
class SourceKind:
    """A kind of source, described without importing what reads it.

    name: its word in manifests.
    title: what its files are called, for messages and help: ".keras files".
    description: where they come from.
    loader: "module:function", called with a Path and SourceOptions; returns a Source. What it
    raises apart from edgekit's own errors becomes a SourceError.
    suffixes: of its files. folder_files: a folder that holds one of them is of this kind.
    words: whether MODULE:FUNCTION is of this kind, too.
    options: which of SourceOptions it takes; others are refused.
    extra: the extra of edgekit that brings what the loader imports; None for a kind of another
        distribution.
    is_listed: whether help names it; False for what is only refused.
    engine: the module that runs the original in a worker. framework: the package that it needs.
    """

    name: str
    title: str
    description: str
    loader: str
    suffixes: tuple[str, ...] = ()
    folder_files: tuple[str, ...] = ()
    words: bool = False
    options: tuple[str, ...] = ("input_shapes",)
    extra: str | None = None
    is_listed: bool = True
    engine: str = TENSORFLOW_ENGINE
    framework: str = "tensorflow"


@dataclass(frozen=True)
class SourceOptions:
    """How a source should be read.

    input_shapes: whole shapes (with the batch axis) of inputs whose sizes the model leaves open.
    signature: which signature of a SavedModel.
    unsafe: allow Lambda layers, which run code that came with the file.
    imports: modules to import first, so that they register the custom classes of a Keras model.
    fixed: inputs of an ONNX file that become constants, with their values.
    dtypes: of inputs of a PyTorch module, by name, where they are not float32.
    weights: a file of them for a PyTorch module.
    layout: "auto" and "nhwc" bring images channels last, "nchw" keeps them as the source has them.
    """

    input_shapes: Mapping[str, tuple[int, ...]]
    signature: str | None = None
    unsafe: bool = False
    imports: tuple[str, ...] = ()
    fixed: Mapping[str, Any] = field(default_factory=dict)
    layout: Literal["auto", "nchw", "nhwc"] = "auto"
    dtypes: Mapping[str, str] = field(default_factory=dict)
    weights: Path | None = None


@dataclass(frozen=True)
class Source:
    """A loaded source.

    graph: what every format is written from.
    run: the original on one batch of inputs by name.
    notes: what was done automatically that the user should know ("batch fixed to 1: …").
    axes: for inputs and outputs whose order in the source differs from the graph's: axis k of the
    source's tensor is axis `axes[name][k]` of the graph's. `run` takes and gives the graph's order.
    """

    path: Path
    graph: FrozenGraph
    run: Callable[[Mapping[str, object]], Arrays]
    notes: tuple[str, ...] = ()
    axes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def see_working_folder() -> str:
    """Allow modules of the working folder to be imported, and return its path.

    It comes last, so that nothing there hides an installed package.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    return folder
