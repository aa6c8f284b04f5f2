"""Libraries that convert: their log, and the temporary files that they leave."""

from __future__ import annotations

import click


def tame_libraries() -> None:
    """Keep libraries silent, unless --debug is given, and their temporary files with this run.

    TensorFlow logs tracebacks of what it goes on from, and removes its files at its end only, which
    a run that is killed does not have.
    """
    import logging

    from edgekit_runtimes.owned.folder import own_temporary_files

    own_temporary_files()
    context = click.get_current_context().find_root()
    if not (context.obj or {}).get("debug"):
        logging.disable(logging.CRITICAL)
