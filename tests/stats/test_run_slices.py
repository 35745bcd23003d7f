"""A run in slices: any part of it has exact figures, whoever reports which second, and however wide the slices are."""

import pytest

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_slices import FEWEST_SLICES, MOST_SLICES, RunSlices
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

KEY = ("a", "sse")
FIRST_S = 0.02


def add(slices, t_s, started=1, *, process="p", names=1, failed=(), **fields):
    """Add a second in which streams began; ``failed``: how many seconds before, a stream that fails now began."""
    found = {}
    for number in range(names):
        stats = StreamStats()
        stats.started = started
        stats.time_to_first_chunk.record_ns(round(FIRST_S * 1e9), started)
        for ago_s in failed:
            record = StreamRecord(*KEY, Outcome.TRUNCATED, 0, ago_s + FIRST_S, time_to_first_chunk_s=FIRST_S)
            stats.end(record, "cut")
        found[(f"a{number or ''}", "sse")] = stats
    slices.add(process, SecondReport(t_s, 0, found, **fields), 0.95, found.items())


def times(part):
    """How many times to first chunk count."""
    return part.all_stats[KEY].time_to_first_chunk.values.count


def test_a_part_has_the_seconds_between_its_ends_alone():
    slices = RunSlices(0)
    for t_s in range(10):
        add(slices, t_s, 2**t_s)
    assert slices.part(2, 5).all_stats[KEY].started == 2**2 + 2**3 + 2**4
    assert slices.part(8).all_stats[KEY].started == 2**8 + 2**9


@pytest.mark.parametrize(
    ("names", "most"), [(1, MOST_SLICES), (40, MOST_SLICES), (48, 100), (80, FEWEST_SLICES), (90, FEWEST_SLICES)]
)
def test_slices_widen_when_there_are_too_many_for_the_names(names, most):
    slices = RunSlices(0)
    for t_s in range(most):
        add(slices, t_s, names=1 if t_s else names)
    assert (slices.width_s, [begin_s for begin_s, _ in slices.parts()]) == (1, list(range(most)))
    add(slices, most)
    assert (slices.width_s, [begin_s for begin_s, _ in slices.parts()]) == (2, list(range(0, most + 1, 2)))
    assert slices.part(0).all_stats[KEY].started == most + 1


def test_processes_of_a_slice_are_told_apart():
    slices = RunSlices(0)
    for process, waited_s in (("a", 0.5), ("b", 0.25), ("b", 0.25)):
        add(slices, 3, process=process, waited_s=waited_s)
    found = slices.part(0).processes
    assert {name: (each.seconds, each.waited_s) for name, each in found.items()} == {"a": (1, 0.5), "b": (2, 0.5)}


def test_the_time_of_a_stream_that_failed_later_is_left_out_where_its_first_chunk_came():
    slices = RunSlices(0)
    for t_s in range(10):
        add(slices, t_s, 10)
    add(slices, 10, 10, failed=(10, 10, 6, 0))
    add(slices, 11, 0, failed=(11,))
    assert [times(slices.part(t_s, t_s + 1)) for t_s in range(10)] == [7, 10, 10, 10, 9, 10, 10, 10, 10, 10]
    assert times(slices.part(10, 11)) == 9
    assert times(slices.part(0)) == 105


def test_a_failure_whose_first_chunk_came_in_a_second_that_nobody_reported_is_counted():
    slices = RunSlices(0)
    add(slices, 5, 3)
    add(slices, 9, 3, failed=(7,))
    assert slices.part(0).all_stats[KEY].outcomes == {Outcome.TRUNCATED: 1}
