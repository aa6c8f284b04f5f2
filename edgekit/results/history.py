"""Older versions of results files, each upgraded to the next one.

Version 2: a row that failed is "failed", as in manifests; it was "error".

Fields that older results lack have a default: `sqnr_p5_db` of a fidelity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from edgekit.forms import Form

RESULTS_SCHEMA_VERSION: Literal[2] = 2


def _from_1(form: Form) -> Form:
    rows = [
        {**row, "status": "failed"} if row["status"] == "error" else row for row in form["rows"]
    ]
    return {**form, "schema": 2, "rows": rows}


UPGRADES: Mapping[int, Callable[[Form], Form]] = {1: _from_1}
