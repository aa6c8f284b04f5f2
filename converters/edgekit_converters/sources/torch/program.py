"""PyTorch's own answers: a module or program on named arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils import _pytree as pytree

from edgekit_runtimes.tensors import Array, Arrays, TensorSpec

# What a single output is called: forward() does not name it.
OUTPUT = "output"


@dataclass(frozen=True)
class Original:
    """What the artifacts are compared with: PyTorch itself, at full precision.

    input_specs, output_specs: in the order of forward(), with its order of axes.
    call: the module on tensors; returns what forward() returns.
    """

    input_specs: tuple[TensorSpec, ...]
    output_specs: tuple[TensorSpec, ...]
    call: Callable[..., Any]

    @property
    def specs(self) -> tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]:
        """The specs of inputs and outputs."""
        return self.input_specs, self.output_specs

    def run(self, arrays: Mapping[str, object]) -> Arrays:
        """Return the outputs by name, computed without gradients."""
        found = self.bind(arrays)()
        names = (spec.name for spec in self.output_specs)
        return dict(zip(names, (_array(x) for x in found), strict=True))

    def bind(self, arrays: Mapping[str, object]) -> Callable[[], list[Any]]:
        """Return what computes the outputs, in their order, as tensors."""
        # Copies: torch warns of arrays that it may not write, and a module might.
        tensors = [torch.from_numpy(np.array(arrays[spec.name])) for spec in self.input_specs]
        call = self.call

        def run() -> list[Any]:
            with torch.no_grad():
                found: list[Any] = pytree.tree_leaves(call(*tensors))
            return found

        return run


def specs_of(names: tuple[str, ...], tensors: list[Any], batch: bool) -> tuple[TensorSpec, ...]:
    """Return the specs of tensors by name. batch: whether their first size is free."""
    return tuple(
        TensorSpec(
            name,
            tuple(None if batch and axis == 0 else _size(n) for axis, n in enumerate(x.shape)),
            str(x.dtype).removeprefix("torch."),
        )
        for name, x in zip(names, tensors, strict=True)
    )


def names_of(tree: Any, taken: tuple[str, ...]) -> tuple[str, ...]:
    """Return a name for each output of a tree: the keys of a dict, else numbers.

    tree: as forward() returns it. taken: names of inputs, which outputs cannot have in ONNX.
    """
    paths = [path for path, _ in pytree.tree_flatten_with_path(tree)[0]]
    names = [".".join(map(_key, path)) or OUTPUT for path in paths]
    names = [f"{OUTPUT}_{name}" if name[:1].isdigit() else name for name in names]
    return tuple(f"{name}_out" if name in taken else name for name in names)


def _key(part: Any) -> str:
    found = getattr(part, "key", getattr(part, "idx", getattr(part, "name", part)))
    return str(found)


def _size(size: Any) -> int | None:
    return size if isinstance(size, int) else None


def _array(x: Any) -> Array:
    array: Array = np.asarray(x.detach().numpy() if torch.is_tensor(x) else x)
    return array
