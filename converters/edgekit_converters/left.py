"""What a recipe leaves in float32: said where it is much of the file, refused where it is all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from edgekit_runtimes.errors import NotAvailableError

# Under a tenth of the file, what stayed in floats hardly matters: biases, scales, small kernels.
LEFT_SHARE = 0.1

# So many readers are named; the others are counted.
NAMED = 3


@dataclass(frozen=True)
class FloatConstant:
    """A float32 constant of an artifact. readers: the operators that read it."""

    shape: tuple[int, ...]
    readers: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """How many bytes it takes."""
        return 4 * self.elements

    @property
    def elements(self) -> int:
        """How many values it has."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def is_weight(self) -> bool:
        """Whether it is a kernel or a table: biases and scales stay in floats."""
        is_list = len(self.shape) == 1
        is_table = is_list and any(reader.casefold() == "gather" for reader in self.readers)
        return is_table or sum(size > 1 for size in self.shape) > 1


def notes_of(constants: Iterable[FloatConstant], file_bytes: int) -> tuple[str, ...]:
    """Say how many bytes of constants stayed in float32 and what reads them, where it is much."""
    weights = sorted((one for one in constants if one.is_weight), key=lambda one: -one.bytes)
    total = sum(one.bytes for one in weights)
    if not weights or total < LEFT_SHARE * file_bytes:
        return ()
    names = list(dict.fromkeys(name for one in weights for name in one.readers))
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return (
        f"{total:,} bytes of constants stayed in float32 ({total / file_bytes:.0%} of the file): "
        f"those of {', '.join(names[:NAMED])}{more}",
    )


def check_changed(before: Iterable[FloatConstant], after: Iterable[FloatConstant]) -> None:
    """Raise NotAvailableError where a recipe stored nothing in fewer bits."""
    floats = list(before)
    if sum(one.bytes for one in after) < sum(one.bytes for one in floats):
        return
    largest = max((one.elements for one in floats), default=0)
    if not largest:
        raise NotAvailableError("nothing to quantize: the model has no weights")
    raise NotAvailableError(
        "nothing to quantize: the model has no kernel or table that is large enough (its largest "
        f"constant has {largest:,} element{'s' * (largest > 1)})"
    )
