"""Results files from anywhere: what does not fit the schema is refused in one line."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from edgekit.schema import check_form
from jsonschema import Draft202012Validator

from edgekit.results.results import SCHEMA_FILE, load_results
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


def holders(form: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every list or object of a form with each of its keys."""
    if isinstance(form, dict | list):
        for key in list(form if isinstance(form, dict) else range(len(form))):
            yield form, key
            yield from holders(form[key])


def fits(form: Any) -> bool:
    try:
        check_form(form, SCHEMA)
    except ValueError:
        return False
    return True


def test_our_own_check_judges_damaged_results_as_jsonschema_does(form: Any) -> None:
    validator = Draft202012Validator(SCHEMA)
    damaged = copy.deepcopy(form)
    assert fits(damaged)
    refused = 0
    for holder, key in holders(damaged):
        kept = holder[key]
        for value in VALUES:
            holder[key] = value
            assert fits(damaged) == validator.is_valid(damaged), (key, value)
            refused += not fits(damaged)
        holder[key] = kept
    assert refused > 500


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda form: form["rows"][0].update(bytes="abc"), "rows[0].bytes is no integer or null"),
        (lambda form: form["rows"][1].update(id=5), "rows[1].id is no string"),
        (lambda form: form.update(environments=[]), "environments is no object"),
        (lambda form: form["environments"]["host"].pop("engines"), "host.engines is missing"),
        (lambda form: form["rows"][0]["blocks"][0]["samples"].append(-1), "] is under 0"),
        (lambda form: form.pop("plan"), "plan is missing"),
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
