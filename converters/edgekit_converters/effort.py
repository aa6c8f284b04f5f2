"""How long a conversion may try what keeps quantized artifacts right."""

from __future__ import annotations

from typing import Literal, get_args

# low: each artifact is made once, as it is without trying. default: what pays is tried, so that a
# conversion takes at most 2.5 times as long. high: everything is tried.
Effort = Literal["low", "default", "high"]
EFFORTS: tuple[Effort, ...] = get_args(Effort)
