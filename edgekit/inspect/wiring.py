"""From what a file states, tensors and nodes by key, to a `Graph`: the same for all formats."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from edgekit.inspect.compute import is_float
from edgekit.inspect.macs import elements
from edgekit.inspect.model import Compute, Graph, Node, Tensor


@dataclass(frozen=True)
class RawNode:
    """A node as the file states it; tensors by their keys, "" for one that is left out.

    data, kernel: the places of the inputs that are multiplied; None if nothing is multiplied.
    scales: the places of scales and zero points, which are not parameters.
    macs, in_body: as in `Node`.
    """

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    macs: int | None = 0
    data: int = 0
    kernel: int | None = None
    scales: tuple[int, ...] = ()
    in_body: bool = False

    def at(self, place: int | None) -> str:
        """Return the key of an input; "" where there is none."""
        return self.inputs[place] if place is not None and place < len(self.inputs) else ""


class Wiring:
    """Which node makes and which nodes read each tensor, and what is constant.

    A node whose inputs are all constants makes constants: engines work it out once, when they
    load the file.
    """

    def __init__(self, tensors: Mapping[str, Tensor], nodes: Sequence[RawNode]) -> None:
        self.tensors = tensors
        self.nodes = nodes
        self._makers = {key: index for index, node in enumerate(nodes) for key in node.outputs}
        self._readers: dict[str, list[RawNode]] = {}
        self._constants: dict[str, tuple[str, ...]] = {
            key: (key,) for key, tensor in tensors.items() if tensor.is_constant
        }
        for node in nodes:
            keys = [key for key in node.inputs if key]
            for key in keys:
                self._readers.setdefault(key, []).append(node)
            if keys and all(key in self._constants for key in keys):
                made_from = tuple(
                    dict.fromkeys(constant for key in keys for constant in self._constants[key])
                )
                self._constants.update((key, made_from) for key in node.outputs)

    def maker(self, key: str) -> RawNode | None:
        """Return the node that makes a tensor."""
        return self.nodes[self._makers[key]] if key in self._makers else None

    def readers(self, key: str) -> Sequence[RawNode]:
        """Return the nodes that read a tensor."""
        return self._readers.get(key, ())

    def is_constant(self, key: str) -> bool:
        """Whether a tensor's values follow from the file alone."""
        return key in self._constants

    def dtype(self, key: str) -> str:
        """Return a tensor's dtype as its reader sees it; "" where it is not known."""
        return self.tensors[key].dtype if key in self.tensors else ""

    def stored_dtype(self, key: str) -> str:
        """Return the dtype of what a constant is made from in the file."""
        origin = self._constants[key][0] if key in self._constants else key
        return self.tensors[origin].stored_dtype if origin in self.tensors else ""

    def graph(self, compute: Callable[[Wiring, RawNode], Compute]) -> Graph:
        """Return the graph; `compute` tells how a node computes."""
        # A zero point may share its zeros with a bias.
        values = {
            key
            for node in self.nodes
            for place, key in enumerate(node.inputs)
            if place not in node.scales
        }
        kernels = {
            constant
            for node in self.nodes
            for constant in self._constants.get(node.at(node.kernel), ())
        }
        claimed: set[str] = set()
        nodes = []
        for index, node in enumerate(self.nodes):
            own: list[str] = []
            if not all(key in self._constants for key in node.outputs):
                own = [
                    constant
                    for key in dict.fromkeys(node.inputs)
                    for constant in self._constants.get(key, ())
                    if constant not in claimed
                ]
                claimed.update(own)
            weights = [
                self.tensors[key]
                for key in dict.fromkeys(own)
                if key in values and (key in kernels or _is_weight(self.tensors[key]))
            ]
            outputs = tuple(self.tensors[key] for key in node.outputs if key in self.tensors)
            makers = {
                self._makers[key]
                for key in node.inputs
                if key in self._makers and key not in self._constants
            }
            nodes.append(
                Node(
                    index=index,
                    op=node.op,
                    name=outputs[0].name if outputs else "",
                    inputs=tuple(self.tensors[key] for key in node.inputs if key in self.tensors),
                    outputs=outputs,
                    macs=node.macs,
                    params=sum(elements(tensor.shape) or 0 for tensor in weights),
                    bytes=sum(self.tensors[key].bytes or 0 for key in dict.fromkeys(own)),
                    compute=compute(self, node),
                    after=tuple(sorted(makers)),
                    in_body=node.in_body,
                )
            )
        return Graph(tuple(nodes), len(self.tensors))


def _is_weight(tensor: Tensor) -> bool:
    """Whether a constant is parameters; single numbers are bounds (0 and 6) or factors."""
    return bool(tensor.shape) and (is_float(tensor.dtype) or tensor.quantization is not None)
