"""What a model file holds: nodes, the tensors between them, and what each costs.

One description for all formats, made from the file alone: nothing is run, and no shape is
measured. Shapes are those of one sample: a free batch size counts as 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

# How a node computes, in the words of the recipes.
Compute = Literal[
    "fp32",
    "fp16",
    "fp16-weights",  # stored as float16, expanded, computed with in float32
    "int16-weights",  # stored as 16-bit integers, expanded, computed with in float
    "int8-weights",
    "int4-weights",
    "int8-dynamic",  # int8 weights; the activations are quantized in each run
    "int4-dynamic",
    "int8",
    "int16x8",
    "conversion",  # to another number type: quantize, dequantize, cast
    "other",  # neither floats nor quantized numbers: indices, shapes, truth values, text
]
IN_INT8: frozenset[Compute] = frozenset({"int8", "int8-dynamic", "int4-dynamic"})
IN_INTEGERS: frozenset[Compute] = IN_INT8 | {"int16x8"}
IN_FLOAT: frozenset[Compute] = frozenset(
    {"fp32", "fp16", "fp16-weights", "int16-weights", "int8-weights", "int4-weights"}
)

# One entry per axis; None where the size is free.
Shape = tuple[int | None, ...]


@dataclass(frozen=True)
class Quantization:
    """How integers represent real numbers: (value - zero_point) * scale.

    scales: how many scales the tensor has; 1 is one for the whole tensor, 0 if they are in a
    separate tensor (blocks).
    axis: along which they lie; None for one scale, or for blocks.
    scale, zero_point: of a tensor with one scale; None for others.
    """

    scales: int
    axis: int | None = None
    scale: float | None = None
    zero_point: int | None = None


@dataclass(frozen=True)
class Tensor:
    """A tensor: a constant of the file, or what a node reads or makes.

    shape: None if the file does not say and it cannot be worked out.
    dtype: numpy's name, as a node sees it.
    stored: how the file stores a constant, where that is another dtype (TF.js: "uint8").
    bytes: what a constant takes in the file; None for all else.
    """

    name: str
    shape: Shape | None
    dtype: str
    quantization: Quantization | None = None
    stored: str | None = None
    bytes: int | None = None

    @property
    def is_constant(self) -> bool:
        """Whether its values are in the file."""
        return self.bytes is not None

    @property
    def stored_dtype(self) -> str:
        """The dtype in the file."""
        return self.stored or self.dtype

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "name": self.name,
            "shape": None if self.shape is None else list(self.shape),
            "dtype": self.dtype,
            "stored": self.stored_dtype if self.is_constant else None,
            "bytes": self.bytes,
            "quantization": self.quantization,
        }


@dataclass(frozen=True)
class Node:
    """One operator at work.

    index: its place among the nodes of the file, the main graph's first.
    name: of its first output.
    macs: multiply-accumulates for one sample; None if the file does not say.
    params: elements of the weights that it reads: floats and quantized numbers, not indices or
    shapes. bytes: what its constants take in the file. Constants that several nodes read are the
    first one's, and those that a node expands (DEQUANTIZE) are its reader's.
    after: the nodes whose results it reads, except constants.
    in_body: whether it is in a loop or a branch, which runs any number of times.
    """

    index: int
    op: str
    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    macs: int | None
    params: int
    bytes: int
    compute: Compute
    after: tuple[int, ...] = ()
    in_body: bool = False

    @property
    def is_integer(self) -> bool:
        """Whether it computes in quantized numbers, or leaves them."""
        if self.compute == "conversion":
            return bool(self.inputs) and "int" in self.inputs[0].dtype
        return self.compute in IN_INTEGERS

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "index": self.index,
            "op": self.op,
            "name": self.name,
            "compute": self.compute,
            "macs": self.macs,
            "params": self.params,
            "bytes": self.bytes,
            "inputs": [tensor.to_json() for tensor in self.inputs],
            "outputs": [tensor.to_json() for tensor in self.outputs],
            "in_body": self.in_body,
        }


@dataclass(frozen=True)
class Graph:
    """A model file as its nodes, in the order of the file.

    tensors: how many there are, constants included.
    """

    nodes: tuple[Node, ...]
    tensors: int

    @property
    def ops(self) -> dict[str, int]:
        """How many nodes there are of each operator, the most frequent first."""
        return dict(Counter(node.op for node in self.nodes).most_common())

    @property
    def params(self) -> int:
        """Parameters: elements of the weights."""
        return sum(node.params for node in self.nodes)

    @property
    def bytes(self) -> int:
        """What the constants take in the file."""
        return sum(node.bytes for node in self.nodes)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one sample, of the nodes of which they are known."""
        return sum(node.macs or 0 for node in self.nodes)

    @property
    def uncounted(self) -> tuple[Node, ...]:
        """The nodes whose multiply-accumulates cannot be told."""
        return tuple(node for node in self.nodes if node.macs is None)

    @property
    def macs_by_compute(self) -> dict[Compute, int]:
        """Multiply-accumulates by how they are computed, the most first."""
        counts: Counter[Compute] = Counter()
        for node in self.nodes:
            if node.macs:
                counts[node.compute] += node.macs
        return dict(counts.most_common())

    def macs_in(self, computes: Iterable[Compute]) -> int:
        """Return the multiply-accumulates that are computed in one of these ways."""
        return sum(self.macs_by_compute.get(compute, 0) for compute in set(computes))

    @property
    def nodes_by_compute(self) -> dict[Compute, int]:
        """How many nodes compute in each way, the most frequent first."""
        return dict(Counter(node.compute for node in self.nodes).most_common())

    @property
    def float_islands(self) -> tuple[tuple[Node, ...], ...]:
        """The groups of connected nodes that compute in float after others in integers.

        Each one costs a way out of the integers, and mostly one back.
        """
        islands: list[set[int]] = []
        for node in self.nodes:
            if node.compute in IN_FLOAT:
                touching = [island for island in islands if island & set(node.after)]
                islands = [island for island in islands if island not in touching]
                islands.append({node.index}.union(*touching))
        groups = [[self.nodes[index] for index in sorted(island)] for island in islands]
        return tuple(
            tuple(group)
            for group in groups
            if any(self.nodes[index].is_integer for node in group for index in node.after)
        )

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {
            "ops": self.ops,
            "tensors": self.tensors,
            "params": self.params,
            "bytes": self.bytes,
            "macs": self.macs,
            "macs_by_compute": _plain(self.macs_by_compute),
            "nodes_by_compute": _plain(self.nodes_by_compute),
            "uncounted": [node.index for node in self.uncounted],
            "float_islands": [[node.index for node in island] for island in self.float_islands],
            "nodes": [node.to_json() for node in self.nodes],
        }


def _plain(counts: Mapping[Compute, int]) -> dict[str, int]:
    return {str(compute): count for compute, count in counts.items()}
