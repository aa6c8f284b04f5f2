"""Agreement: how far an artifact's outputs on a device are from those of the same file on the host.

Fidelity says what quantization costs; this says what the device's own kernels add to it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from edgekit.forms import AtLeastOne, Level, keep_levels
from edgekit_runtimes.errors import ArtifactError
from edgekit_runtimes.tensors import Array, Arrays


@dataclass(frozen=True)
class Agreement:
    """Agreement of all outputs; the figures are those of the worst one.

    samples: on how many it was judged, from the first on.
    max_relative_error: the largest error as a share of the largest magnitude that this output has
    on the host. Both errors are inf where only one of the two is NaN or infinite.
    exact: every element of every output is the same.
    """

    samples: AtLeastOne
    max_abs_error: Level
    max_relative_error: Level
    exact: bool

    def __post_init__(self) -> None:
        keep_levels(self, "max_abs_error", "max_relative_error")


class AgreementAccumulator:
    """Compares outputs with the host's as they arrive.

    host: the host's outputs of the first samples, samples along the first axis. What a device says
    about later samples is ignored.
    """

    def __init__(self, host: Arrays) -> None:
        self._host = host
        self._errors = dict.fromkeys(host, 0.0)
        self._samples = 0

    def add(self, start: int, outputs: Mapping[str, Array]) -> None:
        """Take in the outputs of the samples from number `start` on.

        Raises ArtifactError if an output is missing or has another shape than the host's.
        """
        for name, host in self._host.items():
            if name not in outputs:
                raise ArtifactError(f"the device gives no output '{name}', but the host does")
            expected = host[start : start + len(outputs[name])].astype(np.float64)
            found = outputs[name][: len(expected)].astype(np.float64)
            if found.shape != expected.shape:
                raise ArtifactError(
                    f"output '{name}' has shape {list(found.shape[1:])} on the device and "
                    f"{list(expected.shape[1:])} on the host"
                )
            self._samples = max(self._samples, min(start + len(found), len(host)))
            self._errors[name] = max(self._errors[name], _largest_error(found, expected))

    def result(self) -> Agreement:
        """Return the agreement over the samples so far. Raises ValueError if there are none."""
        if self._samples == 0:
            raise ValueError("no outputs to compare")
        shares = [_share(error, self._host[name]) for name, error in self._errors.items()]
        error = max(self._errors.values())
        return Agreement(self._samples, error, max(shares), exact=error == 0)


def _largest_error(found: Array, expected: Array) -> float:
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        errors = np.where(same, 0.0, np.abs(found - expected))
    return float(np.nan_to_num(errors, nan=np.inf, posinf=np.inf).max(initial=0.0))


def _share(error: float, host: Array) -> float:
    if error == 0:
        return 0.0
    largest = float(np.abs(host[np.isfinite(host)]).max(initial=0.0))
    return error / largest if largest else math.inf
