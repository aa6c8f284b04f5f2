"""What the shell completes: words that are known to what registers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click
    from click.shell_completion import CompletionItem

Complete = Callable[["click.Context", "click.Parameter", str], "list[CompletionItem]"]


def completing(known: Callable[[], Iterable[str]]) -> Complete:
    """Return what completes the last word of a list with commas.

    known: called when the shell asks, so that nothing is imported before.
    """

    def complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        before, comma, begun = incomplete.rpartition(",")
        words = (word for word in known() if word.startswith(begun))
        return [CompletionItem(f"{before}{comma}{word}") for word in words]

    return complete
