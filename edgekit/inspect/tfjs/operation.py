"""A node of a TF.js model as shape rules see it."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from edgekit.inspect.model import Shape
from edgekit_runtimes.tensors import Array


class Operation:
    """A node of a GraphDef in JSON, with the shapes and the known values of its inputs."""

    def __init__(
        self,
        form: Mapping[str, Any],
        shapes: Sequence[Shape | None],
        values: Sequence[Array | None],
    ) -> None:
        self.op = str(form["op"])
        self.shapes = shapes
        self._values = values
        self._attributes = form.get("attr") or {}

    def shape(self, place: int = 0) -> Shape | None:
        """Return the shape of an input; None if it is not known or there is none."""
        return self.shapes[place] if -len(self.shapes) <= place < len(self.shapes) else None

    def array(self, place: int) -> Array | None:
        """Return the value of an input of integers; None if it is not known."""
        return self._values[place] if -len(self._values) <= place < len(self._values) else None

    def values(self, place: int) -> list[int] | None:
        """Return the values of an input of integers, flat; None if they are not known."""
        array = self.array(place)
        return None if array is None else [int(value) for value in array.reshape(-1)]

    @property
    def arrays(self) -> list[Array] | None:
        """The values of all inputs; None if one is not known."""
        known = [array for array in self._values if array is not None]
        return known if len(known) == len(self._values) else None

    def word(self, name: str) -> str:
        """Return an attribute that is text or a type; "" where there is none."""
        attribute = self._attributes.get(name) or {}
        if "type" in attribute:
            return str(attribute["type"])
        return base64.b64decode(attribute.get("s", "")).decode("utf-8", "replace")

    def flag(self, name: str) -> bool:
        """Return an attribute that is true or false; False if there is none."""
        return bool((self._attributes.get(name) or {}).get("b", False))

    def number(self, name: str, default: int) -> int:
        """Return an attribute that is a number."""
        return int((self._attributes.get(name) or {}).get("i", default))

    def numbers(self, name: str) -> list[int]:
        """Return an attribute that is a list of numbers; [] where there is none."""
        attribute = (self._attributes.get(name) or {}).get("list") or {}
        return [int(number) for number in attribute.get("i", ())]

    def stated_shape(self) -> Shape | None:
        """Return the attribute "shape", a free batch size as 1."""
        stated = (self._attributes.get("shape") or {}).get("shape") or {}
        if stated.get("unknownRank"):
            return None
        sizes = [int(axis.get("size", 0)) for axis in stated.get("dim", ())]
        free = [None if size < 0 else size for size in sizes]
        return (1, *free[1:]) if free and free[0] is None else tuple(free)
