"""The inner tensors of artifacts: what each computes on the way to its outputs.

A module for each format of formats.py, named as it is, with

    tensors(path)                    what the artifact computes, in the order in which it does
    expose(path, names, target)      a copy that gives these tensors out as well
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast


@dataclass(frozen=True)
class InnerTensor:
    """A tensor that an artifact computes.

    name: in the file. node: the node of the frozen graph after which it is named; the tensor may
    be what a node behind that one gives, where several were fused.
    inputs: the names of the tensors that it is computed from, as far as those are computed too.
    """

    name: str
    node: str
    inputs: tuple[str, ...]


class Inner(Protocol):
    """What the module of a format has."""

    def tensors(self, path: Path) -> list[InnerTensor]:
        """Return what an artifact computes, each tensor after those that it needs."""

    def expose(self, path: Path, names: Sequence[str], target: Path) -> Mapping[str, str]:
        """Write a copy whose outputs hold these tensors too; return the outputs' names by theirs.

        All of them have to be of float32 or float16.
        """


def inner(format_name: str) -> Inner:
    """Import and return what looks into artifacts of a format."""
    return cast(Inner, importlib.import_module(f"{__name__}.{format_name}"))
