"""Samples in either order of axes: as the source takes them, or as the bundle does."""

from __future__ import annotations

from collections.abc import Sequence

from edgekit.data.checks import fits
from edgekit_runtimes.errors import DataError
from edgekit_runtimes.reordered import inverse
from edgekit_runtimes.tensors import Array


def in_bundle_order(
    where: str, array: Array, wanted: Sequence[int | None], axes: Sequence[int]
) -> Array:
    """Return a sample in the bundle's order, whichever of the two its shape says it is in.

    wanted: the bundle's shape of it. axes: axis k of the source's is axis axes[k] of that. What has
    neither shape is returned as it is. Raises DataError where both fit and the values would differ.
    """
    source = tuple(wanted[axis] for axis in axes)
    if len(array.shape) != len(wanted) or not fits(array.shape, source):
        return array
    if not fits(array.shape, tuple(wanted)):
        return array.transpose(inverse(axes))
    if array.size == max(array.shape, default=1):
        return array
    raise DataError(
        f"{where} has shape {tuple(array.shape)}, which fits channels first as well as channels "
        "last. Say which it is: convert with --layout nchw or --layout nhwc."
    )
