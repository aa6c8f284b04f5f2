"""Output into a pipe that closes early, as `| head` does."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

# What a shell reports of a program that SIGPIPE ended.
PIPE_CLOSED = 141


@pytest.mark.parametrize(
    "words", [["--help"], ["devices"], ["devices", "--json"], ["convert", "--help"]]
)
def test_a_pipe_that_closes_early_ends_a_command_quietly(words: list[str]) -> None:
    inner, outer = os.pipe()
    os.close(inner)
    process = subprocess.Popen(
        [sys.executable, "-m", "edgekit", *words], stdout=outer, stderr=subprocess.PIPE, text=True
    )
    os.close(outer)
    assert process.communicate(timeout=60)[1] == ""
    assert process.returncode == PIPE_CLOSED
