"""What `edgekit tune` refuses, in one line each, before anything is loaded."""

import numpy as np
import pytest
from conftest import DIGITS

MODEL = DIGITS / "digits.keras"
DATA = DIGITS / "digits.npz"

REFUSED = {
    ("--minimize", "bytes", "--data", DATA): (
        "Unknown objective 'bytes'. Known: size, wire, time, instructions."
    ),
    ("--minimize", "time,instructions", "--on", "host", "--data", DATA): (
        "--minimize time,instructions needs two devices, and --on is one. Give one of them."
    ),
    ("--minimize", "size,wire,time", "--on", "host", "--data", DATA): (
        "--minimize size,wire,time names 3 objectives. Give one, or two with a comma."
    ),
    ("--minimize", "time", "--data", DATA): (
        "--minimize time is measured on a device. Say which: --on host"
    ),
    ("--minimize", "instructions", "--data", DATA): (
        "--minimize instructions is measured on a device. Say which: --on board:pi5"
    ),
    ("--on", "host", "--data", DATA): (
        "--on host measures time or instructions, and --minimize size asks for neither. "
        "Leave it out."
    ),
    ("--minimize", "instructions", "--on", "host", "--data", DATA): (
        "host measures time, not instructions. Ask for --minimize time, or name another device."
    ),
    (): (
        "A search needs samples: without them nobody knows what an artifact loses. Give "
        "--calibration DATA, and labelled ones with --data."
    ),
    ("--max-drop", "lots", "--data", DATA): (
        "--max-drop lots is not a share of answers that may be lost. Write it as 1% or 0.01."
    ),
    ("--max-drop", "0", "--data", DATA): (
        "--max-drop 0 is not a share of answers that may be lost. Write it as 1% or 0.01."
    ),
    ("--within", "soon", "--data", DATA): (
        "--within soon is not understood. Write it as 90s, 15min or 2h."
    ),
    ("--jobs", "0", "--data", DATA): ("--jobs 0 is not a number of processes. Give 1 or more."),
}


@pytest.mark.parametrize(
    "words", REFUSED, ids=lambda words: " ".join(map(str, words[:4])) or "nothing"
)
def test_what_makes_no_sense_is_refused(refused, words):
    assert refused("tune", MODEL, *words) == (REFUSED[words], 2)


def test_a_bundle_that_is_there_is_not_overwritten(refused, tmp_path):
    (tmp_path / "there.edgekit").mkdir()
    message, code = refused("tune", MODEL, "--data", DATA, "-o", "there.edgekit")
    assert code == 2
    assert message == (
        "there.edgekit exists already. Choose another folder with -o, or replace it with --force."
    )


def test_a_bundle_that_no_search_made_has_nothing_to_report(refused, digits_stub):
    message, code = refused("report", digits_stub)
    assert code == 2
    assert "was not made by a search. `edgekit inspect" in message


def test_a_bundle_without_plans_makes_nothing_again(refused, digits_stub):
    message, code = refused("convert", MODEL, "--plan", digits_stub)
    assert code == 2
    assert message == (
        f"{digits_stub} holds no artifact with a plan. `edgekit tune` makes such bundles."
    )


@pytest.fixture
def digits_stub(bundles):
    return bundles("dense_net", "--to", "tflite", "--recipe", "fp32")


def test_a_search_needs_thirty_two_samples(tmp_path):
    from edgekit.tune.measuring.samples import split_for_search

    with pytest.raises(Exception, match="has 20 samples, and a search needs at least 32") as error:
        split_for_search(dataset(tmp_path, 20, 2), tmp_path / "work", frozenset())
    assert type(error.value).__name__ == "DataError"


def test_labels_of_one_class_are_refused(tmp_path):
    from edgekit.tune.measuring.samples import split_for_search

    with pytest.raises(Exception, match="all 64 labels are 0"):
        split_for_search(dataset(tmp_path, 64, 1), tmp_path / "work", frozenset())


def test_the_two_parts_share_no_sample(tmp_path):
    from edgekit.tune.measuring.samples import split_for_search

    samples = split_for_search(dataset(tmp_path, 200, 4), tmp_path / "work", frozenset(range(10)))
    parts = [np.load(one.inputs["x"])[:, 0] for one in (samples.search, samples.judging)]
    assert [len(part) for part in parts] == [samples.search.count, samples.judging.count]
    assert sorted(np.concatenate(parts).tolist()) == list(range(10, 200))


def dataset(folder, count, classes):
    from edgekit.data import open_data
    from edgekit_runtimes.tensors import TensorSpec

    x = np.repeat(np.arange(count, dtype=np.float32)[:, None], 3, axis=1)
    np.savez(folder / "data.npz", x=x, y=np.arange(count) % classes)
    return open_data(
        str(folder / "data.npz"), (TensorSpec("x", (None, 3), "float32"),), "evaluation"
    )


@pytest.mark.parametrize("labelled", [True, False])
def test_an_original_whose_answers_are_all_alike_is_refused(labelled):
    from edgekit.tune.measuring.answering import reference_of

    labels = np.arange(40) % 2 if labelled else None
    with pytest.raises(Exception, match="gives all 40 samples the same class"):
        reference_of({"class": np.tile([0.1, 0.9], (40, 1)).astype(np.float32)}, labels, None)
    with pytest.raises(Exception, match="gives all samples the same answer"):
        reference_of({"value": np.ones((40, 1), np.float32)}, None, None)


def test_a_full_disk_says_so_and_keeps_what_was_found(tmp_path, monkeypatch):
    import errno

    from fake_tuning import FakeEvaluator

    from edgekit.bundle.plan import Plan
    from edgekit.tune import journal
    from edgekit.tune.candidate import Candidate
    from edgekit_runtimes.errors import EdgekitError

    found = journal.Journal(FakeEvaluator(), tmp_path / "journal.jsonl", ("size",))
    found.evaluate([Candidate("tflite", Plan("fp32"))])

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(journal, "encode", full)
    with pytest.raises(EdgekitError, match="No space left on device"):
        found.evaluate([Candidate("tflite", Plan("fp16"))])
    monkeypatch.undo()
    again = journal.Journal(FakeEvaluator(), tmp_path / "journal.jsonl", ("size",))
    assert [*again.known] == ["tflite/fp32"]
