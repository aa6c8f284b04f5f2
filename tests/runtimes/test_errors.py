"""The error tree and its helpers."""

from __future__ import annotations

import pytest

from edgekit_runtimes.errors import (
    DataError,
    EngineError,
    MissingExtraError,
    first_line,
    map_exceptions,
    unknown_name,
)


def test_foreign_exceptions_become_ours_with_their_first_line() -> None:
    with (
        pytest.raises(EngineError, match=r"^litert cannot load a\.tflite: bad magic$") as caught,
        map_exceptions("litert cannot load a.tflite", EngineError),
    ):
        raise RuntimeError("\n  bad magic\nat offset 4")
    assert isinstance(caught.value.__cause__, RuntimeError)


def test_our_own_exceptions_pass_unchanged() -> None:
    with pytest.raises(DataError, match=r"^as it was$"), map_exceptions("no", EngineError):
        raise DataError("as it was")


def test_other_exceptions_than_those_asked_for_pass() -> None:
    with pytest.raises(KeyError), map_exceptions("no", EngineError, ValueError):
        raise KeyError("x")


def test_ctrl_c_passes() -> None:
    with pytest.raises(KeyboardInterrupt), map_exceptions("no", EngineError):
        raise KeyboardInterrupt


def test_the_nearest_name_is_suggested() -> None:
    message = str(unknown_name("recipe", "fp61", ["fp32", "fp16", "int8"]))
    assert message == "Unknown recipe 'fp61'. Did you mean 'fp16'? Known: fp32, fp16, int8."


def test_an_error_without_text_is_known_by_its_class() -> None:
    assert first_line(ValueError()) == "ValueError"


def test_headings_are_no_reason() -> None:
    said = "Graph execution error:\n\nDetected at node f/mod (most recent call last):\n"
    error = ValueError(f"{said}<stack traces unavailable>\nInteger division by zero\n\t [[{{f}}]]")
    assert first_line(error) == "Integer division by zero"
    assert first_line(ValueError("at:\n")) == "at:"


def test_a_long_line_is_cut() -> None:
    assert first_line(ValueError("x" * 400)) == "x" * 299 + "…"


def test_wrong_use_exits_with_2_and_failed_work_with_3() -> None:
    assert DataError.exit_code == 2
    assert MissingExtraError("edgekit convert", "convert").exit_code == 2
    assert EngineError.exit_code == 3


def test_a_missing_extra_says_the_pip_line() -> None:
    assert "pip install 'edgekit[convert]'" in str(MissingExtraError("x", "convert"))
