"""Results of the zoo in a file, so that a walk can be continued."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".cache" / "zoo"
# What decides how a net is converted and judged.
CODE = ("converters", "runtimes/edgekit_runtimes", "edgekit/convert", "tests/zoo")


class Kept:
    """Cells by case, format and recipe, as lines of JSON in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cells: dict[tuple[str, str, str], dict[str, Any]] = {}
        self._lock = threading.Lock()
        if path.exists():
            for line in path.read_text().splitlines():
                self._take(json.loads(line))

    def add(self, cells: Iterable[dict[str, Any]]) -> None:
        """Keep cells, on the disk too."""
        with self._lock, self._path.open("a") as file:
            for cell in cells:
                self._take(cell)
                file.write(json.dumps(cell) + "\n")

    def without(self, statuses: Iterable[str]) -> None:
        """Forget the cells that have one of these statuses."""
        gone = set(statuses)
        kept = [cell for cell in self if cell["status"] not in gone]
        self._cells.clear()
        self._path.write_text("")
        self.add(kept)

    def get(self, case: str, name: str, recipe: str) -> dict[str, Any] | None:
        """Return a cell, or None."""
        return self._cells.get((case, name, recipe))

    def __contains__(self, key: object) -> bool:
        return key in self._cells

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(list(self._cells.values()))

    def _take(self, cell: dict[str, Any]) -> None:
        self._cells[cell["case"], cell["format"], cell["recipe"]] = cell


def results_file() -> Path:
    """Return where the results of the code as it is now are kept."""
    digest = hashlib.sha256()
    for folder in CODE:
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    FOLDER.mkdir(parents=True, exist_ok=True)
    return FOLDER / f"{digest.hexdigest()[:12]}.jsonl"
