"""One reason why an artifact is not faster than fp32."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgekit.forms import OpenForm


@dataclass(frozen=True)
class Reason:
    """One reason.

    code: which rule found it. text: what to tell people, with the figures. facts: these figures.
    """

    code: str
    text: str
    facts: OpenForm = field(default_factory=dict)
