"""A float graph as the choice of what stays in float sees it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from edgekit_runtimes.tensors import Arrays


@dataclass(frozen=True)
class Operator:
    """An operator that int8 would compute with integers.

    name: unique in the net. kind: what its format calls it. reads, makes: tensors.
    macs: multiply-accumulates, 0 where it has no kernel. kernel: how many weights it has.
    constants: the names of those that it reads.
    """

    name: str
    kind: str
    reads: tuple[str, ...]
    makes: tuple[str, ...]
    macs: int = 0
    kernel: int = 0
    constants: tuple[str, ...] = ()


@dataclass(frozen=True)
class Net:
    """The operators in their order, and the tensors that int8 rounds, with their elements.

    ends: which of these are inputs or outputs, and floats there.
    """

    operators: tuple[Operator, ...]
    rounded: Mapping[str, int]
    ends: frozenset[str] = frozenset()

    @cached_property
    def macs(self) -> int:
        """The multiply-accumulates of all operators with kernels."""
        return sum(one.macs for one in self.operators)

    @cached_property
    def around(self) -> dict[str, frozenset[str]]:
        """The operators that make or read each rounded tensor."""
        found: dict[str, set[str]] = {name: set() for name in self.rounded}
        for one in self.operators:
            for tensor in (*one.reads, *one.makes):
                if tensor in found:
                    found[tensor].add(one.name)
        return {name: frozenset(operators) for name, operators in found.items()}

    @cached_property
    def by_name(self) -> dict[str, Operator]:
        """Each operator by its name."""
        return {one.name: one for one in self.operators}

    @cached_property
    def regions(self) -> dict[str, frozenset[str]]:
        """The operators without kernels that hang together with each operator, itself included."""
        region = {one.name: {one.name} for one in self.operators}
        plain = {one.name for one in self.operators if not one.macs}
        for around in self.around.values():
            joined = around & plain
            whole = set[str]().union(*(region[name] for name in joined))
            for name in whole:
                region[name] = whole
        return {name: frozenset(names) for name, names in region.items()}

    def still_rounded(self, floats: AbstractSet[str]) -> frozenset[str]:
        """Return the tensors that are rounded where these operators compute in float."""
        return frozenset(name for name, around in self.around.items() if not around <= floats)

    def changed(self, floats: AbstractSet[str]) -> int:
        """Return how many elements change between integers and floats, where these are floats."""
        return sum(
            self.rounded[name]
            for name in self.still_rounded(floats)
            if name in self.ends or self.around[name] & floats
        )


class Simulated(Protocol):
    """A net that runs with any of its tensors rounded, and its weights as int8 holds them."""

    @property
    def net(self) -> Net:
        """What is run."""

    def run(self, sample: Arrays, rounded: AbstractSet[str]) -> Arrays:
        """Return the outputs for one sample."""
