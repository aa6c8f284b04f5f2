"""What a cell of the zoo is: right, refused, or a fault."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from zoo.case import Case

from edgekit.convert.judging import FLOAT, HALF_NOTE, ROUNDING

RIGHT, LOSSY, REFUSED, NONE = "right", "lossy", "refused", "none"
WRONG, CRASHED = "wrong", "crashed"
FAULTS = (WRONG, CRASHED)

# Below it the outputs are not those of the same computation (fp32), or the recipe has lost more
# than it may. Rounding alone leaves 130 dB of fp32, 60 dB of fp16 and 40 dB of int8.
THRESHOLDS_DB = {"fp32": 60.0, "fp16": 30.0, "int8-weights": 20.0, "int8": 10.0}
# Outputs whose error is this small are right, however small they are themselves.
SMALL_ERROR = 1e-6
# What is not there at all, whatever the model.
NOT_THERE = re.compile(r"nothing to quantize|TF\.js stores quantized weights")
DIFFERS = "differs from the original"
# A sentence of ours says what to do; these are a library's own, behind our "… failed: " or alone.
LIBRARYS_WORDS = re.compile(
    r"^\w*(Error|Exception)\b|failed: |error:|callsite\(|Status Message"
    r"|cannot (load|run) |does not run"
)


@dataclass(frozen=True)
class Verdict:
    """One cell. sqnr_db: of what was made. reason: of what was not, or was not right."""

    status: str
    sqnr_db: float | None = None
    reason: str = ""


def judge_row(row: Any, case: Case, outputs: list[str] | None) -> Verdict:
    """Return the verdict on a row of a bundle about the outputs of one case (None: all)."""
    if row.status != "ok":
        return judge_refusal(str(row.reason), case)
    made = row.fidelity.outputs
    own = [made[name] for name in outputs or made]
    sqnr_db = min(one.sqnr_db for one in own)
    quantization = row.recipe.partition("+")[0]
    needed = THRESHOLDS_DB[quantization]
    if all(_is_right(one, needed) for one in own):
        return Verdict(RIGHT, sqnr_db)
    is_alone = len(own) == len(made)
    if quantization == FLOAT and is_alone and any(_explains(note) for note in row.notes):
        return Verdict(RIGHT, sqnr_db, "said why by a note")
    if any(note.kind == "low fidelity" for note in row.notes):
        return Verdict(LOSSY, sqnr_db, "said so by a warning")
    return Verdict(WRONG, sqnr_db, f"under {needed:.0f} dB and said nothing")


def _explains(note: Any) -> bool:
    """Return whether a note says why a float model that is right is this far from the original.

    float32 has no better answer there, or the original itself computes in half precision.
    """
    return ROUNDING in note.figures or note == HALF_NOTE


def _is_right(one: Any, needed: float) -> bool:
    if one.nan:
        return False
    return one.sqnr_db >= needed or one.max_abs_error <= SMALL_ERROR


def judge_refusal(reason: str, case: Case) -> Verdict:
    """Return whether a refusal says which layer it is about."""
    if NOT_THERE.search(reason):
        return Verdict(NONE, None, reason)
    if reason.startswith(DIFFERS):
        return Verdict(WRONG, None, reason)
    named = any(word.lower() in reason.lower() for word in _words(case))
    is_ours = not LIBRARYS_WORDS.search(reason)
    return Verdict(REFUSED if named and is_ours else CRASHED, None, reason)


def _words(case: Case) -> Iterable[str]:
    """Return what names the layer of a case: its class, or the node that Keras makes of it."""
    name = re.split(r"[ ,]", case.name)[0].rpartition(".")[2]
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    # A quoted node of the graph names the layer: 'functional_1/lu_1/…' (Operator).
    return (name, snake, *case.covers, "(", "'")


def as_number(value: float | None) -> float | str | None:
    """Return a figure as JSON can hold it."""
    return value if value is None or math.isfinite(value) else str(value)
