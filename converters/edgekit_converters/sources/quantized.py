"""What is quantized already is no source: the sentence that says so, for all kinds."""

from __future__ import annotations

from pathlib import Path


def refusal(path: Path) -> str:
    """Return why nothing is made of a file whose numbers are rounded already."""
    return (
        f"{path} is quantized already: bring the float model that it was made from, since every "
        f"recipe starts from that. As it is it can be measured: edgekit bench {path}"
    )
