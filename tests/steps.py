"""What a command says on stderr beside its steps, which are lines where that is no terminal."""

import re

STEP = re.compile(
    r"loading .*|running the original on the golden samples|\S+ \(\d+ of \d+\)"
    r"|[\w:/.]+: (checking|timing|evaluating|counting|judging) .*"
)


def beside_steps(text: str) -> str:
    """Return the lines that are no steps."""
    return "".join(line for line in text.splitlines(True) if not STEP.fullmatch(line.rstrip()))
