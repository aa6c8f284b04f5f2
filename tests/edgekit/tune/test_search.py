"""The search finds nearly the best of all mixes in twenty evaluations, and keeps its time."""

import math
from pathlib import Path

import pytest
from fake_tuning import FakeEvaluator

from edgekit.bundle.plan import Plan
from edgekit.tune.budget import Budget
from edgekit.tune.candidate import Answers, Candidate
from edgekit.tune.finalists import judge_finalists
from edgekit.tune.journal import Journal
from edgekit.tune.limit import FINALISTS, Limit
from edgekit.tune.promise import Paired
from edgekit.tune.ranker import MOST_GROUPS, grouped_layers
from edgekit.tune.search import BATCH, ENOUGH, Search
from edgekit_converters.mixing import Layer

JUDGED = 5_000


def searched(evaluator, limit, budget=None, calibrated=False):
    search = Search("tflite", ("size",), limit, JUDGED, evaluator, budget or Budget(None))
    search.run(calibrated)
    return search


@pytest.mark.parametrize("level", [20.0, 26.0, 32.0])
@pytest.mark.parametrize("seed", range(4))
def test_it_comes_within_10_percent_of_the_best_of_all_mixes_in_twenty_evaluations(seed, level):
    evaluator = FakeEvaluator(seed=seed)
    (best, *_) = searched(evaluator, Limit(min_sqnr=level)).holding("size")
    assert len(evaluator.asked) == len(set(evaluator.asked)) <= ENOUGH
    assert evaluator.noise(best.candidate.plan) <= 10 ** (-level / 10)
    assert best.costs["size"] <= 1.1 * evaluator.best(level)


def test_mixes_are_smaller_than_every_uniform_recipe_that_holds():
    found = searched(FakeEvaluator(), Limit(min_sqnr=20.0)).holding("size")
    uniform = [one for one in found if not one.candidate.plan.layers]
    assert found[0].costs["size"] < 0.9 * min(one.costs["size"] for one in uniform)


def test_by_what_is_lost_it_finds_what_the_finalists_then_promise():
    evaluator, limit = FakeEvaluator(seed=3), Limit(max_drop=0.01)
    search = searched(evaluator, limit)
    judged = judge_finalists(search, ("size",), limit, evaluator)
    (winner,) = judged.winners
    assert winner.promised
    assert winner.name == "tuned-size"
    assert 1 <= len(evaluator.judged) <= FINALISTS
    assert all(bound is not None for bound in judged.bounds.values())


def test_too_few_labels_are_a_guess_and_it_says_how_many_it_would_take():
    class Few(FakeEvaluator):
        def judge(self, candidates):
            return [Answers(100, 30.0, Paired(98, 1, 1, 0), 2) for _ in candidates]

    evaluator, limit = Few(seed=3), Limit(max_drop=0.01)
    search = Search("tflite", ("size",), limit, 100, evaluator, Budget(None))
    search.run(calibrated=False)
    judged = judge_finalists(search, ("size",), limit, evaluator)
    (winner,) = judged.winners
    assert not winner.promised
    assert winner.name == "guess-size"
    assert judged.needed is not None
    assert 2_000 < judged.needed < 6_000


def test_nothing_is_chosen_where_nothing_keeps_to_the_limit():
    evaluator, limit = FakeEvaluator(), Limit(min_sqnr=500.0)
    search = searched(evaluator, limit)
    assert search.holding("size") == []
    assert judge_finalists(search, ("size",), limit, evaluator).winners == ()


def test_the_time_is_kept_by_what_earlier_candidates_took():
    now = [0.0]

    class Slow(FakeEvaluator):
        def evaluate(self, candidates):
            now[0] += 10.0 * len(candidates)
            return super().evaluate(candidates)

    evaluator = Slow()
    search = searched(evaluator, Limit(min_sqnr=26.0), Budget(150.0, lambda: now[0]))
    assert search.stopped == "the time was over"
    assert now[0] <= 0.8 * 150
    assert search.holding("size")


def test_a_device_that_goes_away_ends_the_search_with_what_was_found():
    search = searched(FakeEvaluator(goes_away=7), Limit(min_sqnr=20.0))
    assert search.stopped == "board:pi5 does not answer any more"
    assert search.holding("size")


def test_a_search_goes_on_from_what_is_stored(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    limit = Limit(min_sqnr=26.0)
    first = FakeEvaluator(goes_away=5 + BATCH)
    searched(Journal(first, path, ("size",)), limit)
    with path.open("ab") as file:
        file.write(b'{"candidate": {"format": "tfl')
    second = FakeEvaluator()
    again = searched(Journal(second, path, ("size",)), limit)
    whole = searched(FakeEvaluator(), limit)
    assert not {*first.asked} & {*second.asked}
    assert again.found.keys() == whole.found.keys()
    assert again.holding("size") == whole.holding("size")


def test_a_stored_evaluation_without_the_cost_that_is_asked_for_is_made_again(tmp_path: Path):
    path = tmp_path / "journal.jsonl"
    searched(Journal(FakeEvaluator(), path, ("size",)), Limit(min_sqnr=26.0))
    assert Journal(FakeEvaluator(), path, ("size",)).known
    assert not Journal(FakeEvaluator(), path, ("time",)).known


def test_neighbours_of_a_deep_net_are_probed_together():
    layers = [Layer(f"layer{n}", "CONV_2D", 100 * (n + 1), 0) for n in range(53)]
    groups = grouped_layers(layers)
    assert len(groups) <= MOST_GROUPS
    assert [one for group in groups for one in group] == layers
    weights = [sum(one.weights for one in group) for group in groups]
    assert max(weights) < 2.5 * sum(weights) / len(weights)


def test_a_perfect_answer_has_no_noise():
    assert FakeEvaluator().answers(candidate("fp32")).noise == 0.0
    assert math.isinf(FakeEvaluator().answers(candidate("fp32")).sqnr_db)


def candidate(recipe):
    return Candidate("tflite", Plan(recipe))
