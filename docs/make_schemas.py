"""Write the JSON Schemas of results and manifests from their types.

    python docs/make_schemas.py            (or: make docs)

They say what edgekit writes: nothing is left out and nothing is added. It reads more than
that: a field that has a default may be missing, and unknown fields are ignored.
A test compares the files with what this script would write.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Any

import msgspec

from edgekit.bundle import manifest
from edgekit.forms import FileKind, Form, Level, OpenForm
from edgekit.results import results

TARGETS: dict[Path, tuple[FileKind[Any], str]] = {
    results.SCHEMA_FILE: (results.RESULTS_FILE, "edgekit results"),
    manifest.SCHEMA_FILE: (manifest.MANIFEST_FILE, "edgekit manifest"),
}
# The name of a number that may be infinite, also in TypeScript.
LEVEL = "NumberOrInfinite"


def render(kind: FileKind[Any], title: str) -> str:
    """Return the schema of one kind of file."""
    made = msgspec.json.schema(kind.kind, schema_hook=_schema_of, ref_template="#/$defs/{name}")
    parts = {name: _as_written(part) for name, part in made["$defs"].items()}
    whole = parts.pop(kind.kind.__name__)
    form = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:edgekit:{kind.word}:{kind.version}",
        **whole,
        "title": title,
        "$defs": {**parts, LEVEL: {"description": inspect.getdoc(Level), **Level.SCHEMA}},
    }
    return json.dumps(form, indent=2) + "\n"


def _schema_of(kind: type) -> Form:
    """Return the schema of a type that msgspec does not know."""
    if kind is Level:
        return {"$ref": f"#/$defs/{LEVEL}"}
    if not issubclass(kind, OpenForm):
        raise NotImplementedError(kind)
    known: Form = {"type": "object"}
    if kind.KNOWN:
        made = msgspec.json.schema(kind.KNOWN, ref_template="#/$defs/{name}")
        known = _inlined(made, made.pop("$defs"))
        known.pop("title")
    return {**known, "description": inspect.getdoc(kind), "additionalProperties": True}


def _inlined(form: Any, parts: Form) -> Any:
    """Return a form with the parts that it refers to in their places."""
    if isinstance(form, list):
        return [_inlined(one, parts) for one in form]
    if not isinstance(form, dict):
        return form
    if "$ref" in form:
        return _inlined(parts[form["$ref"].removeprefix("#/$defs/")], parts)
    return {key: _inlined(value, parts) for key, value in form.items()}


def _as_written(part: Form) -> Form:
    """Return the schema of an object that has all its fields, and no others."""
    made = {key: value for key, value in part.items() if key != "description"}
    if "description" in part:
        made["description"] = inspect.cleandoc(part["description"])
    if "properties" not in part:
        return made
    fields = {name: dict(field) for name, field in part["properties"].items()}
    # What a Struct leaves out where it is not known.
    omitted = {"conditions", "layout"}
    for field in fields.values():
        field.pop("default", None)
    return {
        **made,
        "properties": fields,
        "required": [name for name in fields if name not in omitted],
        "additionalProperties": False,
    }


if __name__ == "__main__":
    for target, (kind, title) in TARGETS.items():
        target.write_text(render(kind, title), encoding="utf-8")
        print(f"wrote {target}")
