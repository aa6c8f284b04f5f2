"""One reason why an artifact is not faster than fp32."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reason:
    """One reason.

    code: which rule found it. text: what to tell people, with the figures. facts: these figures.
    """

    code: str
    text: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"code": self.code, "text": self.text, "facts": dict(self.facts)}

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> Reason:
        """Return the reason whose JSON form is given."""
        return cls(form["code"], form["text"], form["facts"])
