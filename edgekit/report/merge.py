"""Several results files (host, board, phone) as one report: one section per device and file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from edgekit.bundle.manifest import MANIFEST_NAME
from edgekit.results.results import Results, Row, load_results
from edgekit_runtimes.errors import ArtifactError, UsageError


@dataclass(frozen=True)
class Section:
    """One device of one results file.

    title: the device, with its bundle where the files are of several, and with the date where
    several files have both.
    file: the results file as it was given.
    results: of this device alone, which is called `title` in it.
    """

    title: str
    device: str
    file: str
    results: Results

    @property
    def rows(self) -> tuple[Row, ...]:
        """The device's rows: at least one."""
        return self.results.rows


@dataclass(frozen=True)
class Report:
    """What a report is made of.

    notes: what the reader must know before comparing the sections.
    """

    sections: tuple[Section, ...]
    notes: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What was measured where."""
        places = ", ".join(section.title for section in self.sections)
        bundles = {section.results.bundle for section in self.sections}
        # Several bundles are named in the sections' titles.
        return f"{bundles.pop()} on {places}" if len(bundles) == 1 else places

    @property
    def rows(self) -> Iterator[Row]:
        """The rows of all sections."""
        return (row for section in self.sections for row in section.rows)


def read_report(paths: Sequence[Path]) -> Report:
    """Return the report of results files; a file given twice counts once.

    Raises UsageError for a file that does not exist, ArtifactError for one that cannot be read or
    has no rows.
    """
    files: dict[str, Results] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"No such file: {path}. Results come from edgekit bench … -o.")
        if (path / MANIFEST_NAME).is_file():
            raise UsageError(
                f"{path} is a bundle, and reports are made of results. "
                f"Type: edgekit bench {path} -o results.json, then edgekit report results.json"
            )
        files[str(path)] = results = load_results(path)
        if not results.rows:
            raise ArtifactError(f"{path} has no rows: nothing was measured. Bench again.")
    return merge(files)


def merge(files: Mapping[str, Results]) -> Report:
    """Return the report of `files`: results by the name of their file.

    Sections are in the order of the files, and the devices of a file in the order of its rows.
    """
    found = [
        (device, file, results)
        for file, results in files.items()
        for device in dict.fromkeys(row.device for row in results.rows)
    ]
    are_several = len({results.bundle for results in files.values()}) > 1
    titles = _titles(
        [
            (f"{results.bundle} on {device}" if are_several else device, file, results.created)
            for device, file, results in found
        ]
    )
    sections = (
        Section(title, device, file, _only(device, title, results))
        for title, (device, file, results) in zip(titles, found, strict=True)
    )
    return Report(tuple(sections), tuple(_different_bundles(files)))


def _titles(found: Sequence[tuple[str, str, str]]) -> list[str]:
    """Return a unique title for each (name, file, date)."""
    names = Counter(name for name, _, _ in found)
    dated = [f"{name} ({minute(created)})" for name, _, created in found]
    dates = Counter(dated)
    return [
        name
        if names[name] == 1
        else (title if dates[title] == 1 else f"{name} ({minute(created)}, {file})")
        for (name, file, created), title in zip(found, dated, strict=True)
    ]


def minute(created: str) -> str:
    """Return a date to the minute, as people write it.

    Example:
        >>> minute("2026-11-21T08:37:28+00:00")
        '2026-11-21 08:37'
    """
    return created[:16].replace("T", " ")


def _only(device: str, title: str, results: Results) -> Results:
    return replace(
        results,
        rows=tuple(replace(row, device=title) for row in results.rows if row.device == device),
        environments={title: results.environments.get(device, {})},
    )


def _different_bundles(files: Mapping[str, Results]) -> Iterator[str]:
    """Yield a note where bundles have different names, or artifacts of one name different sizes."""
    names: dict[str, str] = {}
    for file, results in files.items():
        names.setdefault(results.bundle, file)
    if len(names) > 1:
        texts = [f"{name} in {file}" for name, file in names.items()]
        yield f"these results are of different bundles: {' and '.join(texts)}"
        return
    sizes: dict[str, dict[int, str]] = {}
    for file, results in files.items():
        for row in results.rows:
            if row.bytes is not None:
                sizes.setdefault(row.id, {}).setdefault(row.bytes, file)
    different = [name for name, by_size in sizes.items() if len(by_size) > 1]
    if different:
        texts = [f"{size:,} bytes in {file}" for size, file in sizes[different[0]].items()]
        more = f" ({len(different) - 1} more differ)" if len(different) > 1 else ""
        yield (
            "these results are not of the same bundle: "
            f"{different[0]} has {' and '.join(texts)}{more}"
        )
