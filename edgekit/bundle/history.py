"""Older versions of the manifest, each upgraded to the next one.

Version 2: notes of artifacts are values; before, they were sentences, and warnings began with
"warning: ".

Fields that older bundles lack have a default: `sqnr_p5_db` of a fidelity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Literal

from edgekit.forms import Form

MANIFEST_SCHEMA_VERSION: Literal[2] = 2

# The only warning that version 1 had.
_LOW_FIDELITY = re.compile(
    r"warning: (?P<text>fidelity is low \(SQNR (?P<sqnr>\S+) dB, under (?P<limit>\S+) dB\)): "
    r"(?P<advice>.*)"
)


def _from_1(form: Form) -> Form:
    artifacts = [
        {**record, "notes": [_note(text) for text in record["notes"]]}
        for record in form["artifacts"]
    ]
    return {**form, "schema": 2, "artifacts": artifacts}


def _note(text: str) -> dict[str, Any]:
    match = _LOW_FIDELITY.fullmatch(text)
    if match is None:
        return {"kind": "note", "text": text}
    return {
        "kind": "low fidelity",
        "text": match["text"],
        "figures": {"sqnr_db": _level(match["sqnr"]), "limit_db": _level(match["limit"])},
        "advice": match["advice"],
    }


def _level(text: str) -> float | str:
    return text if "inf" in text else float(text)


UPGRADES: Mapping[int, Callable[[Form], Form]] = {1: _from_1}
