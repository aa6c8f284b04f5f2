"""Results files from anywhere: what does not fit the schema is refused in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from edgekit.forms import MAX_DEPTH, from_form
from edgekit.results.results import SCHEMA_FILE, Results, load_results
from edgekit_runtimes.errors import ArtifactError

SCHEMA = json.loads(SCHEMA_FILE.read_text())
VALUES = (None, "x", -1, 3.5, [], {}, True, ["x"], {"x": 1})


@pytest.fixture(scope="module")
def form(results_file: Path) -> Any:
    """Return the JSON of a real bench, with two samples a block."""
    form = json.loads(results_file.read_text())
    for row in form["rows"]:
        for block in (*row["blocks"], *row["reference_blocks"]):
            del block["samples"][2:]
        del row["blocks"][2:], row["reference_blocks"][1:]
    del form["rows"][3:]
    return form


def nested(depth: int) -> Any:
    """Return a list in a list in a list …"""
    return [nested(depth - 1)] if depth else []


def holders(form: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every list or object of a form with each of its keys."""
    if isinstance(form, dict | list):
        for key in list(form if isinstance(form, dict) else range(len(form))):
            yield form, key
            yield from holders(form[key])


def fits(form: Any) -> bool:
    try:
        from_form(form, Results)
    except ValueError:
        return False
    return True


def test_what_the_types_refuse_the_schema_refuses_too(form: Any) -> None:
    validator = Draft202012Validator(SCHEMA)
    damaged = copy.deepcopy(form)
    assert fits(damaged)
    refused = 0
    for holder, key in holders(damaged):
        kept = holder[key]
        for value in VALUES:
            holder[key] = value
            if not fits(damaged):
                refused += 1
                # The types also know that a row has a reason where it is not "ok", and only there.
                assert key in ("status", "reason") or not validator.is_valid(damaged), (key, value)
        holder[key] = kept
    assert refused > 500


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda it: it["rows"][0].update(bytes="a"),
            "expected `int | null`, got `str` at rows[0]",
        ),
        (lambda it: it["rows"][1].update(id=5), "expected `str`, got `int` at rows[1].id"),
        (lambda it: it["rows"][0].update(reason="x"), "expected a reason for status 'ok'"),
        (
            lambda it: it.update(environments=[]),
            "expected `object`, got `array` at environments",
        ),
        (
            lambda it: it["environments"]["host"].pop("engines"),
            "missing required field `engines`",
        ),
        (
            lambda form: form["rows"][0]["blocks"][0]["samples"].append(-1),
            "expected `int` >= 0 at rows",
        ),
        (lambda form: form.pop("plan"), "object missing required field `plan`"),
        (
            lambda form: form["environments"]["host"].update(x=nested(MAX_DEPTH)),
            "more than 64 deep",
        ),
        (lambda form: form["environments"]["host"].update(x=nested(900)), "more than 64 deep"),
    ],
)
def test_damaged_results_are_refused_by_the_place(
    form: Any, tmp_path: Path, change: Callable[[Any], Any], message: str
) -> None:
    damaged = copy.deepcopy(form)
    change(damaged)
    file = tmp_path / "results.json"
    file.write_text(json.dumps(damaged))
    with pytest.raises(ArtifactError) as caught:
        load_results(file)
    assert f"{file} is damaged: " in str(caught.value)
    assert message in str(caught.value)
