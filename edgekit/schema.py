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

    Known: type, const, enum, pattern, minimum, exclusiveMinimum, maximum, minItems, maxItems,
    minProperties, properties, required, dependentRequired, propertyNames, additionalProperties,
    items, anyOf, if with then and else, and references to $defs; tests hold it against the
    jsonschema package.
    """
    _check(form, schema, schema.get("$defs", {}), "")


def _check(form: Any, schema: Mapping[str, Any], defs: Mapping[str, Any], place: str) -> None:
    if "$ref" in schema:
        _check(form, defs[schema["$ref"].removeprefix("#/$defs/")], defs, place)
    if "anyOf" in schema and not any(_fits(form, one, defs, place) for one in schema["anyOf"]):
        raise ValueError(f"{place or 'the whole'} is of no kind that may stand there")
    if "if" in schema:
        branch = "then" if _fits(form, schema["if"], defs, place) else "else"
        _check(form, schema.get(branch, {}), defs, place)
    if "type" in schema:
        kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
        if not any(_is_a(form, kind) for kind in kinds):
            raise ValueError(f"{place or 'the whole'} is no {' or '.join(kinds)}")
    if "const" in schema and (type(form), form) != (type(schema["const"]), schema["const"]):
        raise ValueError(f"{place} is not {schema['const']!r}")
    if "enum" in schema and form not in schema["enum"]:
        raise ValueError(f"{place} is none of {schema['enum']}")
    if "pattern" in schema and isinstance(form, str) and not re.search(schema["pattern"], form):
        raise ValueError(f"{place} is not as it should be: {form!r}")
    if isinstance(form, int | float) and not isinstance(form, bool):
        _check_number(form, schema, place)
    if isinstance(form, dict):
        _check_object(form, schema, defs, place)
    if isinstance(form, list):
        if not schema.get("minItems", 0) <= len(form) <= schema.get("maxItems", len(form)):
            raise ValueError(f"{place} has {len(form)} entries")
        items = schema.get("items", {})
        if not _are_plain_integers(form, items, defs):
            for number, item in enumerate(form):
                _check(item, items, defs, f"{place}[{number}]")


def _check_number(form: float, schema: Mapping[str, Any], place: str) -> None:
    if form < schema.get("minimum", form):
        raise ValueError(f"{place} is under {schema['minimum']}")
    if form > schema.get("maximum", form):
        raise ValueError(f"{place} is over {schema['maximum']}")
    if "exclusiveMinimum" in schema and form <= schema["exclusiveMinimum"]:
        raise ValueError(f"{place} is not over {schema['exclusiveMinimum']}")


def _are_plain_integers(
    form: list[Any], schema: Mapping[str, Any], defs: Mapping[str, Any]
) -> bool:
    """Return whether all items are integers that fit, which is quick to tell.

    Results hold samples by the hundred thousand.
    """
    plain = defs[schema["$ref"].removeprefix("#/$defs/")] if "$ref" in schema else schema
    if plain.keys() != {"type", "minimum"} or plain["type"] != "integer" or not form:
        return False
    return {type(item) for item in form} == {int} and min(form) >= plain["minimum"]


def _check_object(
    form: dict[str, Any], schema: Mapping[str, Any], defs: Mapping[str, Any], place: str
) -> None:
    for name in schema.get("required", ()):
        if name not in form:
            raise ValueError(f"{_below(place, name)} is missing")
    for name, needed in schema.get("dependentRequired", {}).items():
        for other in needed:
            if name in form and other not in form:
                raise ValueError(f"{_below(place, other)} is missing")
    if len(form) < schema.get("minProperties", 0):
        raise ValueError(f"{place} has {len(form)} entries")
    for name in form:
        _check(name, schema.get("propertyNames", {}), defs, _below(place, name))
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
