"""JSON forms: what is read, what is refused, and the schemas that are made from the types."""

from __future__ import annotations

import importlib.util
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

import pytest

from edgekit.forms import Count, FileKind, Level, OpenForm, encode, from_form, keep_levels, to_form
from edgekit_runtimes.errors import ArtifactError

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Facts:
    schema: int
    level: Level
    more: OpenForm

    def __post_init__(self):
        keep_levels(self, "level")


KIND = FileKind(
    kind=Facts,
    word="facts",
    what="a facts file",
    remedy="Make it again.",
    max_bytes=1_000_000,
    version=1,
    upgrades={},
)


def nested(depth):
    return {"a": nested(depth - 1)} if depth else 1


def refusal(path, content):
    path.write_bytes(content)
    with pytest.raises(ArtifactError) as caught:
        KIND.load(path)
    return str(caught.value).removeprefix(str(path))


@pytest.mark.parametrize("level", [1.5, -3, math.inf, -math.inf])
def test_numbers_that_may_be_infinite_survive_strict_json(level):
    facts = Facts(1, level, {"x": [1, {"y": None}]})
    text = encode(facts).decode()
    assert from_form(json.loads(text, parse_constant=pytest.fail), Facts) == facts


@pytest.mark.parametrize("level", ["nan", "1", True, None, [], {}])
def test_what_is_not_a_number_is_refused(level):
    with pytest.raises(ValueError, match=r"Expected a number, `inf` or `-inf` - at `\$\.level`"):
        from_form({"schema": 1, "level": level, "more": {}}, Facts)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", " is not a facts file, or was cut off. Make it again."),
        (b"\xff\xfe", " is not a facts file, or was cut off. Make it again."),
        (b'{"schema": 1, "level": 1, "more": {"\xff": 1}}', " is not a facts file, or"),
        (b"[" * 100_000, " is damaged: nested more than 64 deep. Make it again."),
        (b'{"schema": 1, "more": ' + b"[" * 100_000, " is damaged: nested more than 64 deep."),
        (
            b'{"schema": 1, "level": 1e999, "more": {}}',
            " is damaged: number out of range at level.",
        ),
        (b'{"schema": 1, "level": %s, "more": {}}' % (b"9" * 400), " is damaged: number out of"),
        (b'{"schema": %s}' % (b"9" * 5000), " is "),
        (b'{"schema": 2}', " has facts schema 2 and this edgekit reads 1. Upgrade edgekit."),
        (b'{"schema": true}', " is not a facts file, or was cut off."),
        (b'{"schema": 1, "level": NaN, "more": {}}', " is damaged: "),
        (b'{"schema": 1, "level": 0, "more": 3}', " is damaged: expected `object` at more."),
    ],
)
def test_whatever_is_wrong_with_a_file_is_one_sentence_with_its_name(tmp_path, content, message):
    found = refusal(tmp_path / "facts.json", content)
    assert found.startswith(message)
    assert found.endswith(" Make it again.")
    assert len(found) < 200


def test_what_is_in_open_forms_is_kept_down_to_a_depth(tmp_path):
    deep = {"schema": 1, "level": 1, "more": nested(63)}
    (tmp_path / "deep.json").write_text(json.dumps(deep))
    assert to_form(KIND.load(tmp_path / "deep.json")) == {**deep, "level": 1.0}
    deeper = json.dumps({**deep, "more": nested(64)}).encode()
    assert "nested more than 64 deep at more" in refusal(tmp_path / "deeper.json", deeper)


def test_a_file_that_is_too_large_is_not_read(tmp_path):
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        os.truncate(file.fileno(), 1_000_001)
    with pytest.raises(
        ArtifactError, match=r"is larger than 1 MB, as a facts file never is\. Make"
    ):
        KIND.load(path)


def test_names_that_no_json_can_hold_are_written_nevertheless():
    assert json.loads(encode({"of \ud800": math.pi})) == {"of ?": math.pi}


def test_the_schemas_are_those_of_the_types():
    spec = importlib.util.spec_from_file_location("make_schemas", ROOT / "docs/make_schemas.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for path, (kind, title) in module.TARGETS.items():
        assert path.read_text() == module.render(kind, title), "run: make docs"


@dataclass(frozen=True)
class Counted:
    values: tuple[Count, ...]


@pytest.mark.parametrize("number", [2**63, 10**400])
def test_a_count_that_no_computer_counts_to_is_refused_where_it_stands(number):
    with pytest.raises(ValueError, match="int"):
        from_form({"values": [1, number]}, Counted)
    assert from_form({"values": [2**63 - 1]}, Counted).values == (2**63 - 1,)
