"""Progress where stderr is no terminal: each step is a line, once."""

from edgekit.cli.common.progress import status


def test_a_log_has_one_line_for_each_new_step(capsys):
    with status() as report:
        for done, left in ((1, "2 min"), (2, "1 min")):
            report(f"host: timing tflite/int8 ({done} of 9, about {left} left)")
            report(f"host: evaluating tflite/int8, {done} of 64 samples ({done} of 9)")
        report("loading digits.keras")
    assert capsys.readouterr().err.splitlines() == [
        "host: timing tflite/int8 (1 of 9, about 2 min left)",
        "host: evaluating tflite/int8, 1 of 64 samples (1 of 9)",
        "loading digits.keras",
    ]
