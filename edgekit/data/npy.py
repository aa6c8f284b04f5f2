"""The header of a .npy file, read before anything that it promises is believed."""

from __future__ import annotations

import math
import tokenize
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

# What numpy raises for headers that it cannot parse: it reads them with ast and tokenize.
FAULTS = (EOFError, SyntaxError, TypeError, OverflowError, RecursionError, tokenize.TokenError)
# An axis longer than this is of no file; products of such sizes still fit into memory.
LONGEST_AXIS = 2**48


@dataclass(frozen=True)
class NpyHeader:
    """What a file says of its array.

    fortran: the first axis varies fastest. offset: bytes before the values.
    """

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    offset: int

    @property
    def bytes(self) -> int:
        """What the values take."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: IO[bytes]) -> NpyHeader:
    """Read the header of an open file. Raises ValueError for whatever is wrong with it."""
    try:
        version = np.lib.format.read_magic(stream)
        if version == (1, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_1_0(stream)
        elif version == (2, 0):
            shape, fortran, dtype = np.lib.format.read_array_header_2_0(stream)
        else:
            raise ValueError(f".npy format {version} is not one of plain arrays")
        if any(not 0 <= size <= LONGEST_AXIS for size in shape):
            raise ValueError("its header promises a shape that no array has")
        return NpyHeader(shape, fortran, dtype, stream.tell())
    except FAULTS as error:
        raise ValueError(f"its header cannot be read ({type(error).__name__})") from error
