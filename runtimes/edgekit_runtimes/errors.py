"""Every error that edgekit raises on purpose.

One small tree. A message says what failed, with which value, and what to do next; the command
line prints it as it is and exits with the class's `exit_code`. Errors of the libraries below are
turned into ours where they happen, by `map_exceptions`.
"""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Iterable, Iterator

USAGE_EXIT_CODE = 2
WORK_EXIT_CODE = 3


class EdgekitError(Exception):
    """The work failed."""

    exit_code = WORK_EXIT_CODE


# --- Wrong use: the remedy is another command line or other input -------------------------------


class UsageError(EdgekitError):
    """A word, a path or an option cannot be used as it was given."""

    exit_code = USAGE_EXIT_CODE


class DataError(UsageError):
    """Calibration data or inputs do not fit the model."""


class MissingExtraError(UsageError):
    """An optional part of edgekit is needed and not installed."""

    def __init__(self, purpose: str, extra: str) -> None:
        super().__init__(
            f"{purpose} needs edgekit's '{extra}' extra. "
            f"Install it with: pip install 'edgekit[{extra}]'"
        )
        self.extra = extra


# --- The work failed ----------------------------------------------------------------------------


class SourceError(EdgekitError):
    """A trained model could not be read."""


class ConversionError(EdgekitError):
    """A source could not be turned into an artifact."""


class NotAvailableError(EdgekitError):
    """A format does not have a recipe, for this model or for any."""


class ArtifactError(EdgekitError):
    """What was given as an artifact or a bundle is damaged, or is not one."""


class EngineError(EdgekitError):
    """An engine could not load or run an artifact."""


class DeviceError(EdgekitError):
    """A device could not be started, or stopped in the middle of a job."""


class ConnectionLostError(DeviceError):
    """The connection to a device dropped. What the device had reported by then counts."""


# --- Helpers ------------------------------------------------------------------------------------


def unknown_name(kind: str, name: str, known: Iterable[str]) -> UsageError:
    """Return the error for a word that is not in `known`, with the nearest one suggested."""
    known = list(known)
    nearest = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f" Did you mean '{nearest[0]}'?" if nearest else ""
    return UsageError(f"Unknown {kind} '{name}'.{hint} Known: {', '.join(known)}.")


# What TensorFlow puts between a heading and the error itself.
NO_TRACES = "<stack traces unavailable>"


def first_line(error: BaseException, limit: int = 300) -> str:
    """Return the first line that says something, for use inside a one-line message.

    Headings do not: TensorFlow begins with "Graph execution error:" and "Detected at node …:".
    """
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if not line.endswith(":") and line != NO_TRACES]
    text = next(iter(said or lines), type(error).__name__)
    return text if len(text) <= limit else text[: limit - 1] + "…"


@contextlib.contextmanager
def map_exceptions(
    message: str,
    into: type[EdgekitError],
    *caught: type[BaseException],
) -> Iterator[None]:
    """Turn the exceptions `caught` (default: any Exception) into `into`.

    The new message is `message`, a colon and the first line of the original one. Errors of ours
    pass unchanged, and so does what is not an Exception (Ctrl-C).
    """
    mapped = caught or (Exception,)
    try:
        yield
    except EdgekitError:
        raise
    except mapped as error:
        raise into(f"{message}: {first_line(error)}") from error
