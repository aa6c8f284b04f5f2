"""One signature for several artifacts, and how each differs from it: in names, order and sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from edgekit.data.checks import fits
from edgekit_runtimes.engines.renamed import OPTION as NAMES
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.reordered import OPTION as AXES
from edgekit_runtimes.tensors import TensorSpec, is_batched

Shape = tuple[int | None, ...]
# Fewer axes than these have no channels to move: a batch, channels, and one axis of space.
LEAST_AXES = 3


@dataclass
class Joined:
    """The signature that artifacts share, made from the first and narrowed by the others.

    A size that one of them leaves open and another one fixes is fixed.
    """

    path: Path
    inputs: list[TensorSpec]
    outputs: list[TensorSpec]
    axes: dict[str, list[int]] = field(default_factory=dict)

    def add(
        self, path: Path, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
    ) -> dict[str, Any]:
        """Take in one more artifact; return what its engine is to be told.

        Raises UsageError if it does not take and give what the first one does.
        """
        if is_batched(inputs) != is_batched(self.inputs):
            raise UsageError(
                f"{path} and {self.path} take different numbers of samples at once: "
                f"{_words(inputs)}, and {_words(self.inputs)}. Measure each on its own."
            )
        axes: dict[str, list[int]] = {}
        names: dict[str, dict[str, str]] = {}
        for kind, wanted, found in (
            ("inputs", self.inputs, inputs),
            ("outputs", self.outputs, outputs),
        ):
            renamed = self._match(path, kind, wanted, [_real(spec) for spec in found], axes)
            if renamed:
                names[kind] = renamed
        self.axes.update(axes)
        return {**({AXES: axes} if axes else {}), **({NAMES: names} if names else {})}

    def _match(
        self,
        path: Path,
        kind: str,
        wanted: list[TensorSpec],
        found: Sequence[TensorSpec],
        axes: dict[str, list[int]],
    ) -> dict[str, str]:
        """Narrow `wanted` and return the names that differ, the artifact's first."""
        fault = UsageError(
            f"{path} does not take and give what {self.path} does: its {kind} are "
            f"{_words(found)}, and the other's {_words(wanted)}. Measure each on its own."
        )
        if len(found) != len(wanted):
            raise fault
        by_name = {spec.name: spec for spec in found}
        same_names = by_name.keys() == {spec.name for spec in wanted}
        renamed = {}
        for place, spec in enumerate(wanted):
            other = by_name[spec.name] if same_names else found[place]
            order = _order(spec.shape, other.shape)
            if order is None or spec.dtype != other.dtype:
                raise fault
            sizes: list[int | None] = [None] * len(order)
            for axis, size in zip(order, other.shape, strict=True):
                sizes[axis] = spec.shape[axis] if size is None else size
            wanted[place] = replace(spec, shape=tuple(sizes))
            if order != sorted(order):
                axes[spec.name] = order
            if other.name != spec.name:
                renamed[other.name] = spec.name
        return renamed


def joined(path: Path, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]) -> Joined:
    """Return the signature of one artifact, in real numbers, for others to be added."""
    return Joined(path, [_real(spec) for spec in inputs], [_real(spec) for spec in outputs])


def _real(spec: TensorSpec) -> TensorSpec:
    """Return a tensor of quantized numbers as the real numbers that they stand for."""
    if spec.quantization is None:
        return spec
    return replace(spec, dtype="float32", quantization=None)


def _order(wanted: Shape, found: Shape) -> list[int] | None:
    """Return which axis of `wanted` each of `found` is: all in their places, or channels moved.

    None where neither fits.
    """
    rank = len(wanted)
    plain = list(range(rank))
    if len(found) != rank:
        return None
    orders = [plain]
    if rank >= LEAST_AXES:
        orders += [[0, rank - 1, *plain[1:-1]], [0, *plain[2:], 1]]
    return next((order for order in orders if _fit(found, [wanted[axis] for axis in order])), None)


def _fit(found: Shape, wanted: Sequence[int | None]) -> bool:
    return fits(
        tuple(-1 if a is None else a for a in found),
        tuple(None if a is None else b for a, b in zip(found, wanted, strict=True)),
    )


def _words(specs: Sequence[TensorSpec]) -> str:
    return ", ".join(map(str, specs))
