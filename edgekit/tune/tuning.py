"""The straight line of tuning: samples -> search -> finalists -> a bundle of the winners."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path

from edgekit.bundle.bundle import Bundle, load_bundle
from edgekit.bundle.golden import split_samples
from edgekit.bundle.recipe import Recipe
from edgekit.bundle.tried import SearchRecord, Tried
from edgekit.convert.conversion import run_conversion
from edgekit.convert.request import ConvertRequest, check_place, check_request
from edgekit.data import open_data, stored_options
from edgekit.files import discard, remove, writing
from edgekit.tune.budget import SHARE_AFTER, Budget
from edgekit.tune.candidate import MEASURED, REFERENCE, Evaluation
from edgekit.tune.finalists import Judged, Winner, judge_finalists
from edgekit.tune.journal import Journal
from edgekit.tune.measuring.measured import Device, MeasuredEvaluator
from edgekit.tune.measuring.samples import Samples, split_for_search
from edgekit.tune.record import tried_in
from edgekit.tune.request import TuneRequest, check_tuning
from edgekit.tune.search import Search
from edgekit_converters.sources import source_hash
from edgekit_runtimes.errors import UsageError
from edgekit_runtimes.owned.folder import temporary_folder
from edgekit_runtimes.owned.lock import place_lock

JOURNAL, SETTINGS, CANDIDATES = "journal.jsonl", "settings", "candidates.edgekit"


@dataclass(frozen=True)
class Tuned:
    """What came of it.

    bundle: the winners. record: what was tried. met: whether anything but fp32 keeps to the limit
    on the samples that the search saw.
    """

    bundle: Bundle
    record: SearchRecord
    met: bool

    @property
    def lines(self) -> tuple[str, ...]:
        """What the user should know."""
        return self.record.notes


def run_tuning(request: TuneRequest) -> Tuned:
    """Search, judge what was found on unseen samples, and return the bundle of the winners.

    Interrupted, it goes on where it was. Raises UsageError for what makes no sense, DataError for
    samples that nothing can be judged on.
    """
    check_tuning(request)
    check_request(replace(request.convert, recipes=None))
    check_place(request.convert.folder)
    folder = request.convert.folder
    # Where a search was interrupted while it wrote, both are there.
    if folder.exists() and not request.work.exists() and not request.convert.force:
        raise UsageError(
            f"{folder} exists already. Choose another folder with -o, or replace it with --force."
        )
    line = f"waiting for another search that writes {request.convert.folder}"
    waiting = (lambda: request.convert.on_wait(line)) if request.convert.wait else None
    with place_lock(request.work, waiting), writing(request.work):
        return _tune(request)


def _tune(request: TuneRequest) -> Tuned:
    budget = Budget(request.within)
    _open_work(request)
    candidates = replace(
        request.convert,
        output=request.work / CANDIDATES,
        force=False,
        on_artifact=lambda _: None,
    )
    with temporary_folder() as folder:
        samples = _samples(request, candidates, Path(folder))
        device = next(
            (Device(one, str(request.on)) for one in request.objectives if one in MEASURED), None
        )
        inner = MeasuredEvaluator(
            candidates,
            samples,
            device,
            request.jobs,
            request.labels_of,
            request.convert.progress,
        )
        journal = Journal(inner, request.work / JOURNAL, request.objectives)
        searches, judged = {}, {}
        for number, name in enumerate(request.convert.formats):
            share = _share(budget, request, number)
            search = Search(
                name,
                request.objectives,
                request.limit,
                samples.judging.count,
                journal,
                share,
                lambda one: request.front(front_line(one, request)),
            )
            search.run(request.convert.calibration is not None)
            searches[name] = search
            judged[name] = judge_finalists(search, request.objectives, request.limit, journal)
    record = _record(request, samples, searches, judged)
    bundle = _write(request, judged, record)
    remove(request.work)
    met = any(search.holding(one) for search in searches.values() for one in request.objectives)
    return Tuned(bundle, record, met)


def _share(budget: Budget, request: TuneRequest, number: int) -> Budget:
    """Return the time of one format: an equal part of what is left."""
    left = budget.left()
    if left is None:
        return Budget(None)
    return Budget(left / (1 - SHARE_AFTER) / (len(request.convert.formats) - number))


def _open_work(request: TuneRequest) -> None:
    """Keep what an interrupted search of the same request left; remove that of another one."""
    convert = request.convert
    facts = (
        source_hash(convert.source),
        convert.calibration,
        request.data,
        request.on,
        convert.data_options,
        convert.effort,
        request.labels_of,
        *(_stamp(Path(one)) for one in (convert.calibration, request.data) if one),
    )
    key = hashlib.sha256(repr(facts).encode()).hexdigest()
    settings = request.work / SETTINGS
    if request.work.exists() and (
        convert.force or not settings.exists() or settings.read_text() != key
    ):
        discard(request.work)
    request.work.mkdir(parents=True, exist_ok=True)
    settings.write_text(key)


def _stamp(path: Path) -> tuple[int, int]:
    return (path.stat().st_size, path.stat().st_mtime_ns) if path.is_file() else (0, 0)


def _samples(request: TuneRequest, candidates: ConvertRequest, folder: Path) -> Samples:
    """Convert to fp32, which says what samples must look like, and return them in two parts."""
    recipes = tuple(REFERENCE.as_recipe(one, REFERENCE.key) for one in request.convert.formats)
    manifest = run_conversion(replace(candidates, recipes=recipes)).manifest
    if request.data is not None:
        options = request.convert.data_options
        if request.convert.calibration is not None:
            options = stored_options(manifest.preprocessing, request.data)
        dataset = open_data(request.data, manifest.inputs, "evaluation", options)
        if not dataset.labelled:
            request.front(
                f"{request.data} has no labels: what is bounded is how many answers differ"
            )
        return split_for_search(dataset, folder, frozenset())
    dataset = open_data(
        str(request.convert.calibration),
        manifest.inputs,
        "calibration",
        request.convert.data_options,
    )
    calibrating = frozenset(split_samples(dataset, True).calibration)
    return split_for_search(dataset, folder, calibrating)


def front_line(search: Search, request: TuneRequest) -> str:
    """Return what was found so far, in one line."""
    parts = []
    for objective in request.objectives:
        held = search.holding(objective)
        best = "nothing yet" if not held else _cost(held[0], objective)
        parts.append(f"{objective} {best}")
    return f"{search.format}: {len(search.found)} tried, best {', '.join(parts)}"


def _cost(one: Evaluation, objective: str) -> str:
    cost = next(value for name, value in one.costs.items() if name == objective)
    shown = f"{cost:.3f} of fp32's" if objective in MEASURED else f"{cost:,.0f} bytes"
    return f"{shown} ({one.candidate.plan})"


def _record(
    request: TuneRequest,
    samples: Samples,
    searches: dict[str, Search],
    judged: dict[str, Judged],
) -> SearchRecord:
    tried: list[Tried] = []
    notes: list[str] = []
    for name, search in searches.items():
        tried += tried_in(
            search, judged[name], request.objectives, request.limit, samples.judging.count
        )
        notes += _notes(name, search, judged[name], request, samples)
    return SearchRecord(
        schema=1,
        objectives=request.objectives,
        max_drop=request.limit.max_drop,
        min_sqnr=request.limit.min_sqnr,
        labelled=samples.judging.labels is not None,
        searched=samples.search.count,
        judged=samples.judging.count,
        tried=tuple(tried),
        notes=tuple(notes),
    )


def _notes(
    name: str, search: Search, judged: Judged, request: TuneRequest, samples: Samples
) -> list[str]:
    notes = [f"{name}: the search ended early: {search.stopped}"] if search.stopped else []
    if not judged.winners:
        return [*notes, _nearest(name, search, request)]
    what = "labels" if samples.judging.labels is not None else "samples"
    for winner in judged.winners:
        place = f"{name}/{winner.name}"
        bound = judged.bounds[winner.candidate.id]
        if bound is None:
            notes.append(f"{place}: {winner.candidate.plan}")
        elif winner.promised:
            notes.append(
                f"{place}: {winner.candidate.plan}; loses at most {bound:.2%} on unseen data, at "
                f"95 % ({samples.judging.count} {what} judged it)"
            )
        else:
            enough = (
                f"about {judged.needed:,} {what} would promise it"
                if judged.needed
                else "no number of them would promise it"
            )
            notes.append(
                f"{place} is a guess: {samples.judging.count} {what} that the search did not see "
                f"bound its loss by {bound:.2%}, not by {request.limit.max_drop:.2%}; {enough}"
            )
    return notes


def _nearest(name: str, search: Search, request: TuneRequest) -> str:
    """Say that nothing but fp32 keeps to the limit, and what comes nearest."""
    answered = [
        one for one in search.found.values() if one.answers and one.candidate.plan != REFERENCE
    ]
    limit = request.limit
    wanted = f"--min-sqnr {limit.min_sqnr:g}" if limit.min_sqnr is not None else ""
    if limit.max_drop is not None:
        wanted = " and ".join(filter(None, (f"--max-drop {limit.max_drop:.4g}", wanted)))
    line = f"{name}: nothing but fp32 keeps to {wanted}"
    if not answered:
        return line
    best = min(
        answered,
        key=lambda one: limit.distance(one.answers) if one.answers else (0.0, 0.0),
    )
    level = best.answers.sqnr_db if best.answers else 0.0
    drop = best.answers.table.loss if best.answers and best.answers.table else None
    lost = "" if drop is None else f", loses {drop:.2%}"
    return f"{line}; the nearest is {best.candidate.plan} ({level:.1f} dB{lost})"


def _write(request: TuneRequest, judged: dict[str, Judged], record: SearchRecord) -> Bundle:
    """Write the bundle: fp32, and the winners made again by their plans."""
    recipes = []
    for name, one in judged.items():
        recipes.append(REFERENCE.as_recipe(name, REFERENCE.key))
        recipes += [_recipe(winner) for winner in one.winners]
    request.convert.progress("writing the winners")
    bundle = run_conversion(replace(request.convert, recipes=tuple(recipes)))
    record.save(bundle.folder)
    return load_bundle(bundle.folder)


def _recipe(winner: Winner) -> Recipe:
    return winner.candidate.plan.as_recipe(winner.candidate.format, winner.name)
