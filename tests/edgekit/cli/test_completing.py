"""What the shell completes."""

import pytest
from click.shell_completion import ShellComplete

from edgekit.cli import edgekit


def completed(*words):
    *args, incomplete = words
    return [
        item.value
        for item in ShellComplete(edgekit, {}, "edgekit", "").get_completions(args, incomplete)
    ]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (("convert", "a.keras", "--to", "tflite,tf"), ["tflite,tflite", "tflite,tfjs"]),
        (("convert", "a.keras", "--recipe", "int8-w"), ["int8-weights"]),
        (("bench", "a.edgekit", "--on", "board:pi4"), ["board:pi4"]),
        (("bench", "a.edgekit", "--engine", "onnx"), ["onnxruntime"]),
        (("conv",), ["convert"]),
    ],
)
def test_the_shell_completes_words_and_the_last_word_of_a_list(words, found):
    assert completed(*words) == found
