"""Write docs/recipes.md and the README's table of recipes from what formats and modifiers declare.

    python docs/make_recipes.py            (or: make docs)

A test compares both with what this script would write.
"""

from __future__ import annotations

from pathlib import Path

from edgekit_converters.formats import QUANTIZATIONS, RECIPES
from edgekit_converters.graph.modifiers import modifiers

DOCS = Path(__file__).parent
TARGET = DOCS / "recipes.md"
README = DOCS.parent / "README.md"
START = "<!-- Written by `make docs`; do not edit. -->\n"
END = "<!-- End of what `make docs` writes. -->\n"

INTRODUCTION = """\
# Recipes

Written by `make docs` from what formats and modifiers declare; do not edit.

A recipe is QUANTIZATION[+MODIFIER…]: `int8`, or `int8+prune50`. What a format does not list is a
row "not available" in the bundle, with the reason; it is never something else under that name.
"""


def render() -> str:
    """Return the text of recipes.md."""
    parts = [INTRODUCTION, "## What each format makes of it\n\n" + table()]
    for recipes in RECIPES.values():
        missing = [name for name in QUANTIZATIONS if name not in recipes]
        lines = [f"- `{name}`: {recipes.why_not(name)}\n" for name in missing]
        if lines:
            parts.append(f"## What {recipes.title} does not have\n\n{''.join(lines)}")
    lines = [
        f"- `{one.word}N`, N from {one.lowest} to {one.highest}, as in "
        f"`int8+{one.word}{one.example}`: {one.consequence}\n"
        for one in modifiers().values()
    ]
    parts.append(f"## Modifiers, in the order in which they are written\n\n{''.join(lines)}")
    return "\n".join(parts)


def render_readme(text: str) -> str:
    """Return the README with its table written again."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{table()}{END}{after}"


def table() -> str:
    """Return formats x quantizations as a Markdown table, and the modifiers."""
    lines = [f"| recipe | {' | '.join(RECIPES)} |", "|---" * (len(RECIPES) + 1) + "|"]
    for name in QUANTIZATIONS:
        having = [recipes[name] for recipes in RECIPES.values() if name in recipes]
        needs = " (needs calibration data)" if having[0].needs_calibration else ""
        cells = (
            recipes[name].consequence if name in recipes else "–" for recipes in RECIPES.values()
        )
        lines.append(f"| `{name}`{needs} | {' | '.join(cells)} |")
    for one in modifiers().values():
        cells = (one.consequence, *("the same" for _ in [*RECIPES][1:]))
        lines.append(f"| `…+{one.word}{one.example}` | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(render(), encoding="utf-8")
    README.write_text(render_readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"wrote {TARGET} and the table in {README}")
