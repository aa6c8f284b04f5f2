"""What the user should know about an artifact, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from edgekit.forms import Level

NoteKind = Literal["note", "low fidelity", "few samples", "seen in calibration", "not run"]


@dataclass(frozen=True)
class Note:
    """One thing to know.

    kind: "note" for what is only said; every other kind is a warning.
    text: what was found, with the figures. figures: these figures, by name and unit ("sqnr_db").
    advice: what to try.
    """

    kind: NoteKind
    text: str
    figures: Mapping[str, Level] = field(default_factory=dict)
    advice: str | None = None

    def __post_init__(self) -> None:
        levels = {name: Level(value) for name, value in self.figures.items()}
        object.__setattr__(self, "figures", levels)

    @property
    def is_warning(self) -> bool:
        """Whether it is about something that is not as it should be."""
        return self.kind != "note"

    def __str__(self) -> str:
        """Return the sentence that is printed."""
        sentence = f"warning: {self.text}" if self.is_warning else self.text
        return f"{sentence}: {self.advice}" if self.advice else sentence
