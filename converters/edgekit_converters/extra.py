"""What this floor needs besides itself: TensorFlow, ONNX and the quantizers."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from edgekit_runtimes.errors import MissingExtraError, UsageError, first_line


@contextlib.contextmanager
def importing_extra(purpose: str, extra: str = "convert") -> Iterator[None]:
    """Import what an extra of edgekit brings, inside this.

    Raises MissingExtraError if a package is missing, UsageError if one is installed but broken.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{purpose} ({error.name} is not installed)", extra) from error
    except ImportError as error:
        raise UsageError(
            f"{purpose} failed, because a package cannot be imported: {first_line(error)}. "
            "`edgekit doctor` says which, and how to install it again."
        ) from error
