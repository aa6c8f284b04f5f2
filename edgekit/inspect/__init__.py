"""Looking into artifacts: their signature, their nodes, and what each node costs."""

from edgekit.inspect.artifact import (
    ArtifactFacts,
    engine_of,
    find_record,
    inspect_artifact,
    load_signature,
    told_of,
)
from edgekit.inspect.model import Compute, Graph, Node, Quantization, Tensor
from edgekit.inspect.read import read_graph

__all__ = [
    "ArtifactFacts",
    "Compute",
    "Graph",
    "Node",
    "Quantization",
    "Tensor",
    "engine_of",
    "find_record",
    "inspect_artifact",
    "load_signature",
    "read_graph",
    "told_of",
]
