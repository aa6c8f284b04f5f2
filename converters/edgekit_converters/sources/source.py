"""What a source is: its kind, its options, and what loading it gives. Nothing heavy."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from edgekit_converters.graph.frozen import FrozenGraph
    from edgekit_runtimes.tensors import Arrays, TensorSpec

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
    engine: what runs the original in a worker, as jobs name engines.
    files: "module:function", which returns the files that a source is made of, for its hash. "":
        all in its folder.
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
    files: str = ""


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
class LateGraph:
    """A frozen graph that is made only when something is written from it.

    input_specs, output_specs: its signature, as the file itself has it.
    make: returns the FrozenGraph. Raises NotAvailableError where there cannot be one, naming the
    operator.
    """

    input_specs: tuple[TensorSpec, ...]
    output_specs: tuple[TensorSpec, ...]
    make: Callable[[], FrozenGraph]

    @property
    def batched(self) -> bool:
        """Whether the first axis of every input is a batch axis."""
        # It imports NumPy, which help must not.
        from edgekit_runtimes.tensors import is_batched

        return is_batched(self.input_specs)

    @property
    def source_axes(self) -> dict[str, tuple[int, ...]]:
        """How the source's order differs, by name, as a FrozenGraph has it: not at all."""
        return {}


@dataclass(frozen=True)
class OwnModel:
    """The float model of a format, made from the source itself: it is of that format already.

    make: returns what the format's `prepare` gives. note: said of each artifact that is made of it.
    """

    make: Callable[[], Any]
    note: str


@dataclass(frozen=True)
class Source:
    """A loaded source.

    graph: what formats are written from.
    run: the original on one batch of inputs by name.
    notes: what was done automatically that the user should know ("batch fixed to 1: …").
    own: by format, what is written from the source itself instead; pruned recipes, and what else
    is modified, from the graph.
    run_many: the original on one sample after the other, where that is quicker than a call of
    `run` for each: returns the outputs without their batch axis, samples along the first one.
    axes: for inputs and outputs whose order in the source differs from the graph's: axis k of the
    source's tensor is axis `axes[name][k]` of the graph's. `run` takes and gives the graph's order.
    """

    path: Path
    graph: FrozenGraph | LateGraph
    run: Callable[[Mapping[str, object]], Arrays]
    notes: tuple[str, ...] = ()
    own: Mapping[str, OwnModel] = field(default_factory=dict)
    run_many: Callable[[Sequence[Arrays]], Arrays] | None = None
    axes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def frozen(self) -> FrozenGraph:
        """Return the frozen graph. Raises NotAvailableError where there cannot be one."""
        return self.graph.make() if isinstance(self.graph, LateGraph) else self.graph


def see_working_folder() -> str:
    """Allow modules of the working folder to be imported, and return its path.

    It comes last, so that nothing there hides an installed package.
    """
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.append(folder)
    return folder
