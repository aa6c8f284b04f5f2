"""The memory of a row: what the process said in which its model was alone."""

from edgekit.bench.rows import RowBuilder, finished_rows
from edgekit.results.events import read_events

LOADED = {
    **{"event": "loaded", "model": "a", "ns": 5, "engine": "litert", "engine_version": "2"},
    **{"inputs": [], "outputs": []},
}


def process(**said):
    return read_events([LOADED, {"event": "done", **said}])


def test_the_memory_of_a_process_is_what_it_says_at_its_end():
    assert process(peak_memory_bytes=30_000_000).peak_memory_bytes == 30_000_000
    assert process().peak_memory_bytes is None


def test_a_row_has_the_memory_of_the_first_process_in_which_its_model_was_alone():
    builder = RowBuilder("a")
    builder.add_alone(process(peak_memory_bytes=30_000_000))
    builder.add_alone(process(peak_memory_bytes=90_000_000))
    (row,) = finished_rows("host", [builder])
    assert row.peak_memory_bytes == 30_000_000


def test_a_page_that_does_not_tell_leaves_it_unknown():
    builder = RowBuilder("a")
    builder.add_alone(process())
    (row,) = finished_rows("browser:webgl", [builder])
    assert row.peak_memory_bytes is None
