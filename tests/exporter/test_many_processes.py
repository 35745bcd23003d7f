"""Workers that die and come anew under other ids, and runs without end: the page does not grow, and the sums hold."""

import gc
import random

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import generate_latest

from streamgauge.exporter.page import Page
from streamgauge.exporter.readings import RunLabels
from streamgauge.exporter.result_gauges import RUNS
from streamgauge.exporter.state import KEPT_S
from streamgauge.stats.clocks.alignment import Pair
from streamgauge.stats.clocks.raw_delays import RawDelays
from tests.exporter.conftest import random_slice
from tests.held import left_behind

LAG = "stream_client_generator_lag_seconds"


def series(state):
    """How many samples a scrape has."""
    registry = CollectorRegistry()
    registry.register(Page(state.read))
    return sum(not line.startswith(b"#") for line in generate_latest(registry).splitlines())


def lives(state, clock, worker, for_s=10.0):
    """A worker comes, has streams under way, and dies."""
    state.look(3, ("p", worker))
    part = random_slice(random.Random(1))
    raw = part.all_stats["a", "sse"].delays["clock"] = RawDelays(same_clock=True)
    raw.chunk(10**9 + 10**6, 10**9)
    state.add(worker, [part])
    clock.now_s += for_s
    state.look(3, ("p",))


def test_workers_that_died_leave_the_page_after_a_while(state, clock):
    for number in range(200):
        lives(state, clock, f"worker {number}")
        if number == 19:
            before = series(state)
    assert series(state) == before
    shown = [labels for labels, _ in state.read()[LAG]]
    assert ("worker 199",) in shown
    assert ("worker 0",) not in shown


def test_the_lag_of_a_worker_that_died_is_shown_for_as_long_as_a_run_that_ended(state, clock):
    lives(state, clock, "w")
    clock.now_s += KEPT_S - 1
    state.look(3, ("p",))
    assert [labels for labels, _ in state.read()[LAG]] == [("w",)]
    clock.now_s += 2
    state.look(3, ("p",))
    assert state.read()[LAG] == []


def test_a_worker_that_was_missed_for_a_moment_is_shown_on(state, clock):
    lives(state, clock, "w")
    state.look(3, ("p", "w"))
    clock.now_s += 2 * KEPT_S
    assert [labels for labels, _ in state.read()[LAG]] == [("w",)]
    state.look(3, ("p", "w"))
    clock.now_s += 1
    state.look(3, ("p",))
    assert [labels for labels, _ in state.read()[LAG]] == [("w",)]


def test_streams_that_died_with_their_workers_are_never_under_way_again(state, clock, slice_of):
    for number in range(50):
        worker = f"worker {number}"
        state.look(3, ("p", worker))
        state.add(worker, [slice_of(started=5, outcomes={"completed": 2})])
        readings = state.read()
        assert dict(readings["stream_client_active"])["a", "sse"] == 3
        assert dict(readings["stream_client_started_total"])["a", "sse"] == 5 * (number + 1)
        clock.now_s += KEPT_S / 3
        state.look(3, ("p",))
        assert dict(state.read()["stream_client_active"])["a", "sse"] == 0


def test_a_worker_that_comes_back_from_oblivion_takes_nothing_from_the_others(state, clock, slice_of):
    state.look(3, ("p", "w"))
    state.add("p", [slice_of(started=4)])
    state.add("w", [slice_of(started=5)])
    for _ in range(3):
        state.look(3, ("p",))
        clock.now_s += KEPT_S + 1
    state.look(3, ("p", "w"))
    state.add("w", [slice_of(outcomes={"completed": 5})])
    readings = state.read()
    assert dict(readings["stream_client_active"])["a", "sse"] == 4
    assert dict(readings["stream_client_finished_total"])["a", "sse", "completed"] == 5


def test_what_is_held_of_workers_that_died_does_not_grow(state, clock):
    numbers = iter(range(10**6))
    repeat = lambda: lives(state, clock, f"worker {next(numbers)}", KEPT_S / 3)  # noqa: E731
    assert left_behind(repeat, 12) == {}
    assert sum(isinstance(each, Pair) for each in gc.get_objects()) <= 5


def test_runs_without_end_leave_no_more_than_the_last_few(state, clock, some_slices, result_of):
    numbers = iter(range(10**6))
    result = result_of(parts=some_slices[:2])

    def run():
        state.begin(RunLabels(f"run {next(numbers)}", "sse", "http://host"), 0.0)
        state.look(3, ("p",))
        state.add("p", some_slices[:2])
        state.end(result)
        clock.now_s += 10

    assert left_behind(run, 2 * RUNS) == {}
    before = series(state)
    for _ in range(2 * RUNS):
        run()
    assert series(state) == before


def test_scrapes_and_looks_leave_nothing(state, some_slices):
    state.add("p", some_slices)
    registry = CollectorRegistry()
    registry.register(Page(state.read))
    assert left_behind(lambda: (generate_latest(registry), state.look(3, ("p",)), state.judge("trusted")), 5) == {}
