"""docs/coverage.md: what converts to what."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date
from importlib import metadata
from pathlib import Path
from typing import Any

from zoo.case import Case
from zoo.judge import CRASHED, FAULTS, LOSSY, NONE, REFUSED, RIGHT, THRESHOLDS_DB, WRONG
from zoo.kept import Kept
from zoo.walk import FORMATS, RECIPES

TARGET = Path(__file__).parents[2] / "docs" / "coverage.md"
TOOLS = ("tensorflow", "keras", "ai-edge-litert", "tf2onnx", "onnxruntime")
# The share of fp32 cells that has to be right.
NEEDED_SHARE = 0.95
# Beyond it, how exact an artifact is says nothing more.
MOST_DB = 150
LEAST_DB = 0.0
# Of the nets that a reason holds for.
MOST_NAMED = 4


def summary(cases: Sequence[Case], kept: Kept) -> tuple[str, bool]:
    """Return lines about these cases, faults first, and whether all is as it must be."""
    cells = _cells(cases, kept, RECIPES)
    lines = [
        f"{cell['status']}: {cell['format']}/{cell['recipe']} of {cell['case']}: {cell['reason']}"
        for cell in cells
        if cell["status"] in FAULTS
    ]
    fp32 = [cell for cell in cells if cell["recipe"] == "fp32"]
    right = sum(cell["status"] == RIGHT for cell in fp32)
    share = right / len(fp32) if fp32 else 0.0
    refused = sum(cell["status"] == REFUSED for cell in fp32)
    lines.append(f"fp32: {right} of {len(fp32)} right ({share:.1%}), {refused} refused")
    return "\n".join(lines), share >= NEEDED_SHARE and len(lines) == 1


def render(cases: Sequence[Case], kept: Kept) -> str:
    """Return the page."""
    versions = ", ".join(f"{tool} {metadata.version(tool)}" for tool in TOOLS)
    counts = {
        recipe: _counted(_cells(cases, kept, [recipe]), len(cases) * len(FORMATS))
        for recipe in RECIPES
    }
    rows = [
        f"| {recipe} | {' | '.join(map(str, count))} | {THRESHOLDS_DB[recipe]:.0f} |"
        for recipe, count in counts.items()
    ]
    parts = [
        "# What converts to what\n",
        f"Written by `make test-zoo` on {date.today()} with {versions}; do not edit.\n",
        _INTRODUCTION.format(nets=len(cases)),
        "| recipe | right | lossy | refused | none | wrong | crashed | not run | right: dB from |",
        "|---" * 9 + "|",
        *rows,
    ]
    open_cells = {recipe: count[-1] for recipe, count in counts.items() if count[-1]}
    if open_cells:
        told = ", ".join(f"{count} of {recipe}" for recipe, count in open_cells.items())
        parts += ["", f"Not run yet: {told}, of {len(cases) * len(FORMATS)} cells each."]
    groups = list(dict.fromkeys(case.group for case in cases))
    for group in groups:
        parts += ["", *_group(group, [case for case in cases if case.group == group], kept)]
    return "\n".join(parts) + "\n"


_INTRODUCTION = """\
{nets} small nets, one or several per layer of Keras and per function of `keras.ops`, and the
families of `keras.applications`, each with seeded weights. Every artifact was judged as
`edgekit convert` judges it. A figure is the SQNR of the worst output of the worst net in dB against
Keras: fp32 / fp16 / int8-weights / int8, "{most}" also where it is more. A tilde stands
before what lost more than its recipe should and says so in a warning; "–" is what a format does not
have or a net has nothing for; "no" has its reason below the table; "?" has not been run.
""".replace("{most}", str(MOST_DB))


def _counted(cells: list[dict[str, Any]], wanted: int) -> tuple[int, ...]:
    order = (RIGHT, LOSSY, REFUSED, NONE, WRONG, CRASHED)
    counts = [sum(cell["status"] == status for cell in cells) for status in order]
    return (*counts, wanted - len(cells))


def _cells(cases: Iterable[Case], kept: Kept, recipes: Iterable[str]) -> list[dict[str, Any]]:
    keys = [(case.id, name, word) for word in recipes for case in cases for name in FORMATS]
    return [cell for key in keys if (cell := kept.get(*key))]


def _group(group: str, cases: list[Case], kept: Kept) -> list[str]:
    lines = [f"## {group}\n", f"| net | nets | {' | '.join(FORMATS)} |", "|---" * 5 + "|"]
    kinds: dict[str, list[Case]] = {}
    for case in cases:
        kinds.setdefault(_kind(case), []).append(case)
    for kind, nets in kinds.items():
        texts = []
        for name in FORMATS:
            columns = [[kept.get(case.id, name, recipe) for case in nets] for recipe in RECIPES]
            texts.append(" / ".join(map(_text, columns)))
        lines.append(f"| {kind} | {len(nets)} | {' | '.join(texts)} |")
    reasons: dict[str, list[str]] = {}
    for cell in _cells(cases, kept, RECIPES):
        if cell["status"] in (REFUSED, *FAULTS):
            name = cell["case"].partition(": ")[2]
            reason = _without_numbers(" ".join(str(cell["reason"]).split()))
            reasons.setdefault(reason, []).append(f"{cell['format']}/{cell['recipe']} of {name}")
    if reasons:
        lines.append("")
    for reason, ids in reasons.items():
        more = f" and {len(ids) - MOST_NAMED} more" if len(ids) > MOST_NAMED else ""
        lines.append(f"- {'; '.join(ids[:MOST_NAMED])}{more}: {reason}")
    return lines


def _kind(case: Case) -> str:
    """Return what a net is listed under: the layer or function, or its name where it has none."""
    first = case.name.split(" ")[0]
    is_named = first in case.covers or (case.group.startswith("ops: ") and not first.islower())
    return (first if is_named else case.name).replace("|", "¦")


def _without_numbers(reason: str) -> str:
    """Return a reason without the running numbers that Keras gives to layers."""
    return re.sub(r"(?<=[a-z])(_\d+)+(?=[/)\]',. ])", "", reason)


def _text(cells: list[dict[str, Any] | None]) -> str:
    """Return what one recipe makes of the nets of one kind: the worst figure, and what it lacks."""
    there = [cell for cell in cells if cell is not None]
    if not there:
        return "?"
    faults = [cell["status"] for cell in there if cell["status"] in FAULTS]
    if faults:
        return f"**{faults[0]}**"
    values = [_level(cell) for cell in there if cell["status"] in (RIGHT, LOSSY)]
    refused = sum(cell["status"] == REFUSED for cell in there)
    if not values:
        return "no" if refused else "–"
    is_lossy = any(cell["status"] == LOSSY for cell in there)
    more = f" ({refused} no)" if refused else ""
    return f"{'~' if is_lossy else ''}{round(min(values))}{more}"


def _level(cell: dict[str, Any]) -> float:
    """Return dB for a reader: zeros that are right are at the top, as what is right to the bit."""
    value = float(cell["sqnr_db"])
    is_zero = cell["status"] == RIGHT and value == -math.inf
    return float(MOST_DB) if is_zero else max(min(value, MOST_DB), LEAST_DB)
