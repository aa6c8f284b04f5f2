"""What a format is, for everything that asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgekit_runtimes import formats
from edgekit_runtimes.artifact import artifact_format
from edgekit_runtimes.formats import FORMATS, Format, formats_json


def test_what_the_pages_know_of_formats_is_what_python_knows() -> None:
    path = Path(formats.__file__).with_name("formats.json")
    assert path.read_text() == formats_json(), f"{path.name} is stale: run `make docs`"


@pytest.mark.parametrize("kind", FORMATS.values(), ids=FORMATS)
def test_an_artifact_is_recognized_by_its_place_in_a_bundle(tmp_path: Path, kind: Format) -> None:
    path = tmp_path / kind.path("int8+prune50")
    opened = Path(kind.opened(str(path)))
    opened.parent.mkdir(parents=True)
    opened.touch()
    assert path.is_dir() == kind.is_folder
    assert artifact_format(path) == kind.name
    assert kind.media_types.keys() >= {opened.suffix}


def test_no_engine_runs_under_the_word_of_another() -> None:
    words = [word for kind in FORMATS.values() for word in kind.engines]
    words += [page.word for kind in FORMATS.values() for page in kind.page_engines]
    assert len(words) == len({*words})
