"""A check of JSON against a JSON Schema: the few keywords that our own schemas use.

A bundle may come from anyone, and a device has no jsonschema installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "null": (type(None),),
}


def check_form(form: Any, schema: Mapping[str, Any]) -> None:
    """Raise ValueError where `form` does not fit, naming the place ("artifacts[0].bytes").

    Known: type, const, enum, pattern, minimum, minItems, maxItems, properties, required,
    additionalProperties, items, anyOf and references to $defs; a test holds it against the
    jsonschema package.
    """
    _check(form, schema, schema.get("$defs", {}), "")


def _check(form: Any, schema: Mapping[str, Any], defs: Mapping[str, Any], place: str) -> None:
    if "$ref" in schema:
        _check(form, defs[schema["$ref"].removeprefix("#/$defs/")], defs, place)
    if "anyOf" in schema and not any(_fits(form, one, defs, place) for one in schema["anyOf"]):
        raise ValueError(f"{place or 'the whole'} is of no kind that may stand there")
    if "type" in schema and not _is_a(form, schema["type"]):
        raise ValueError(f"{place or 'the whole'} is no {schema['type']}")
    if "const" in schema and (type(form), form) != (type(schema["const"]), schema["const"]):
        raise ValueError(f"{place} is not {schema['const']!r}")
    if "enum" in schema and form not in schema["enum"]:
        raise ValueError(f"{place} is none of {schema['enum']}")
    if "pattern" in schema and isinstance(form, str) and not re.search(schema["pattern"], form):
        raise ValueError(f"{place} is not as it should be: {form!r}")
    if "minimum" in schema and isinstance(form, int | float) and form < schema["minimum"]:
        raise ValueError(f"{place} is under {schema['minimum']}")
    if isinstance(form, dict):
        _check_object(form, schema, defs, place)
    if isinstance(form, list):
        if not schema.get("minItems", 0) <= len(form) <= schema.get("maxItems", len(form)):
            raise ValueError(f"{place} has {len(form)} entries")
        for number, item in enumerate(form):
            _check(item, schema.get("items", {}), defs, f"{place}[{number}]")


def _check_object(
    form: dict[str, Any], schema: Mapping[str, Any], defs: Mapping[str, Any], place: str
) -> None:
    for name in schema.get("required", ()):
        if name not in form:
            raise ValueError(f"{_below(place, name)} is missing")
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    for name, value in form.items():
        if name in properties:
            _check(value, properties[name], defs, _below(place, name))
        elif others is False:
            raise ValueError(f"{_below(place, name)} is unknown")
        elif others is not True:
            _check(value, others, defs, _below(place, name))


def _is_a(form: Any, kind: str) -> bool:
    # For Python, True is an int.
    return isinstance(form, _TYPES[kind]) and (kind == "boolean" or not isinstance(form, bool))


def _fits(form: Any, schema: Mapping[str, Any], defs: Mapping[str, Any], place: str) -> bool:
    try:
        _check(form, schema, defs, place)
    except ValueError:
        return False
    return True


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name
