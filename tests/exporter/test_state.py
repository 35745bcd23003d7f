"""What is shown when: counters that never fall, the run under way, and its end."""

import random
from collections import Counter

import pytest

from streamgauge.exporter.counts import Buckets, NameCounts
from streamgauge.exporter.readings import RunLabels
from streamgauge.exporter.state import KEPT_S, State
from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.names import MOST_NAMES, OTHER_NAMES
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

KEY = ("a", "sse")
SECOND_RUN = RunLabels("run-2", "sse", "http://host")
ALWAYS = {"stream_client_users", "stream_client_workers", "stream_client_names_left_out"}


def value(state, metric, labels=KEY):
    return dict(state.read()[f"stream_client_{metric}"]).get(labels)


def shown(state):
    """The metrics that have any value."""
    return {metric for metric, values in state.read().items() if values}


def flat(readings):
    """All values by metric and labels; a histogram is its count and sum."""
    for metric, values in readings.items():
        for labels, each in values:
            yield (metric, *labels), (sum(each.counts), each.total) if isinstance(each, Buckets) else each


def test_totals_are_those_of_the_run(state, some_slices):
    run_stats = RunStats()
    for part in some_slices:
        run_stats.add("p", part, 0.9)
    state.add("p", some_slices)
    for key, stats in run_stats.all_stats.items():
        assert value(state, "started_total", key) == stats.started
        assert value(state, "chunks_total", key) == stats.chunks
        assert value(state, "body_bytes_total", key) == stats.bytes
        assert value(state, "coalesced_chunks_total", key) == stats.coalesced
        for metric in ("time_to_first_chunk", "chunk_interval", "duration"):
            counted, measured = value(state, f"{metric}_seconds", key), getattr(stats, metric).all
            assert (sum(counted.counts), counted.total) == (measured.count, measured.sum_ns)
        finished = {o: times for (*k, o), times in state.read()["stream_client_finished_total"] if tuple(k) == key}
        assert Counter(finished) == stats.outcomes
    assert sum(value(state, "generator_lag_seconds", ("p",)).counts) == run_stats.lag.count


@pytest.mark.parametrize("seed", range(5))
def test_no_counter_falls_whatever_happens(state, clock, some_slices, seed, result_of):
    """Over processes that come and go, ends of runs, new runs and the time between them."""
    dice, before = random.Random(seed), {}
    for part in some_slices * 5:
        step = dice.random()
        if step < 0.1:
            state.end(result_of("trusted"))
            clock.now_s += dice.choice((1, KEPT_S - 1, KEPT_S + 1))
            state.begin(SECOND_RUN, 0.0)
        elif step < 0.2:
            state.look(3, dice.sample(("p", "q", "r"), 2))
        state.add(dice.choice(("p", "q", "r")), [part])
        now = dict(flat(state.read()))
        for series, reading in now.items():
            counts = series[0].endswith(("_total", "_seconds", "_bytes")) and "run_start" not in series[0]
            if counts and "generator_lag" not in series[0]:
                assert reading >= before.get(series, type(reading)())
        before |= now


def named(names):
    """A slice with one stream of each name."""
    stats = StreamStats()
    stats.started, stats.outcomes = 1, Counter(completed=1)
    return SecondReport(0, active=0, all_stats={(name, "sse"): stats for name in names})


def test_names_beyond_the_limit_are_added_up_under_one(state):
    for number in range(10):
        state.add("p", [named(f"session {number} {each}" for each in range(MOST_NAMES))])
    started = dict(state.read()["stream_client_started_total"])
    assert len(started) == MOST_NAMES + 1
    assert sum(started.values()) == 10 * MOST_NAMES
    assert started[OTHER_NAMES, "sse"] == value(state, "names_left_out", ()) == 9 * MOST_NAMES


def test_names_that_a_process_has_added_up_itself_are_counted_with_them(state):
    added_up = named([*map(str, range(MOST_NAMES)), OTHER_NAMES])
    added_up.names_left_out = 7
    state.add("p", [added_up])
    state.add("q", [named(["a", "b"])])
    assert len(state.read()["stream_client_started_total"]) == MOST_NAMES + 1
    assert value(state, "names_left_out", ()) == 9


def test_the_names_of_a_run_long_ago_make_room(state, clock, result_of):
    state.add("p", [named(map(str, range(2 * MOST_NAMES)))])
    state.end(result_of())
    clock.now_s += KEPT_S + 1
    state.begin(SECOND_RUN, 0.0)
    state.add("p", [named(["a"])])
    assert dict(state.read()["stream_client_started_total"]) == {KEY: 1}
    assert value(state, "names_left_out", ()) == 0


def test_active_is_what_started_and_did_not_end_over_all_processes(state, slice_of):
    state.look(3, ("p", "q"))
    state.add("p", [slice_of(started=5, outcomes={"completed": 2})])
    state.add("q", [slice_of(started=4, outcomes={"truncated": 1})])
    assert value(state, "active") == 6


def test_a_process_that_is_gone_takes_its_active_streams_along_and_nothing_else(state, slice_of):
    state.look(3, ("p", "q"))
    state.add("p", [slice_of(started=5, chunks=7)])
    state.add("q", [slice_of(started=4, chunks=8)])
    state.look(3, ("p",))
    assert (value(state, "active"), value(state, "started_total"), value(state, "chunks_total")) == (5, 9, 15)
    assert value(state, "workers", ()) == 1


def test_nothing_is_active_after_the_end(state, slice_of, result_of):
    state.add("p", [slice_of(started=5)])
    state.end(result_of("trusted"))
    assert value(state, "active") == 0


def test_a_name_that_only_had_streams_of_unknown_protocol_shows_nothing_of_them(state, slice_of):
    state.add("p", [slice_of("auto", started=1)])
    assert value(state, "active", ("a", "auto")) == 1
    state.add("p", [slice_of("auto", started=-1)])
    assert "stream_client_active" not in shown(state)


def test_the_end_of_a_run_is_shown_for_a_while_and_then_gone(state, clock, slice_of, result_of):
    state.add("p", [slice_of(started=1, outcomes={"completed": 1})])
    state.end(result_of("trusted"))
    clock.now_s += KEPT_S - 1
    assert value(state, "started_total") == 1
    assert value(state, "trust", ("run-1", "sse", "http://host")) == 2
    clock.now_s += 2
    assert {each for each in shown(state) if "_result_" not in each} == ALWAYS


def test_a_new_run_counts_on_where_the_last_one_ended(state, clock, slice_of, result_of):
    """Even after the last one is gone: to Prometheus it is one counter, of which a part was not scraped."""
    state.add("p", [slice_of(started=3)])
    state.end(result_of("trusted"))
    clock.now_s += KEPT_S + 1
    state.begin(SECOND_RUN, 0.0)
    assert value(state, "run_info", SECOND_RUN) == 1
    assert "stream_client_started_total" not in shown(state)
    state.add("p", [slice_of(started=2)])
    assert value(state, "started_total") == 5


def test_names_of_the_run_before_leave_while_the_new_one_goes_on(state, clock, slice_of, result_of):
    state.add("p", [slice_of(started=3)])
    state.end(result_of("trusted"))
    state.begin(SECOND_RUN, 0.0)
    state.add("p", [slice_of("ndjson", started=1)])
    clock.now_s += KEPT_S + 1
    assert [labels for labels, _ in state.read()["stream_client_started_total"]] == [("a", "ndjson")]


def test_the_verdict_so_far_gives_way_to_that_of_the_end(state, result_of):
    labels = ("run-1", "sse", "http://host")
    assert "stream_client_trust" not in shown(state)
    state.judge("degraded")
    assert value(state, "trust", labels) == 1
    state.end(result_of("invalid"))
    state.judge("trusted")
    assert value(state, "trust", labels) == 0


def test_what_comes_after_the_end_of_a_run_is_not_counted(state, slice_of, result_of):
    """The result is written without it, and the two are to be equal."""
    state.add("p", [slice_of(started=1)])
    state.end(result_of("trusted"))
    state.add("p", [slice_of(started=1)])
    assert value(state, "started_total") == 1


def stamped_slice(second: int) -> SecondReport:
    stats = StreamStats()
    stats.started = 1
    raw = stats.delays["clock"] = RawDelays(same_clock=True)
    for number in range(10):
        sent_ns = second * 10**9 + number * 10**8
        raw.chunk(sent_ns + (number + 1) * 10**6, sent_ns)
    return SecondReport(second, active=0, all_stats={KEY: stats})


def test_delays_are_those_of_the_run_on_one_clock(state):
    run_stats, parts = RunStats(), [stamped_slice(second) for second in range(40)]
    for part in parts:
        run_stats.add("p", part, 0.9)
    state.add("p", parts)
    delays, measured = value(state, "chunk_delay_seconds"), run_stats.delays.results()[KEY].delays.all
    assert sum(delays.counts) == measured.count == 400
    assert delays.total == pytest.approx(measured.sum_ns, rel=1e-3)


def test_without_stamps_there_is_no_delay(state, slice_of):
    state.add("p", [slice_of(started=1, chunks=5)])
    assert "stream_client_chunk_delay_seconds" not in shown(state)


def test_a_slice_of_a_stepped_clock_costs_its_delays_and_nothing_else(state):
    part = stamped_slice(1)
    part.clock_steps = 1
    state.add("p", [part])
    assert value(state, "started_total") == 1
    assert "stream_client_chunk_delay_seconds" not in shown(state)


class Held:
    """A lock that knows whether it is held."""

    held = False

    def __enter__(self):
        assert not self.held
        self.held = True

    def __exit__(self, *_):
        self.held = False


@pytest.mark.parametrize("touch", ["add", "copy", "end"])
def test_a_scrape_sees_whole_slices(slice_of, monkeypatch, touch, result_of):
    """Counts are written and read under the lock alone."""
    lock, owner = Held(), Buckets if touch == "copy" else NameCounts
    state, plain, seen = State(lock), getattr(owner, touch), []
    monkeypatch.setattr(owner, touch, lambda *a: (seen.append(lock.held), plain(*a))[1])
    state.begin(SECOND_RUN, 0.0)
    state.add("p", [slice_of(started=1)])
    state.read()
    state.end(result_of("trusted"))
    assert seen
    assert all(seen)


def test_the_lag_of_a_process_that_goes_on_in_the_next_run_stays(state, clock, slice_of):
    part = slice_of()
    part.lag.record_ns(1000)
    state.add("p", [part])
    state.end(None)
    state.begin(SECOND_RUN, 0.0)
    state.add("p", [part])
    clock.now_s += KEPT_S + 1
    assert sum(value(state, "generator_lag_seconds", ("p",)).counts) == 2


def test_each_rule_shows_how_it_stands_and_at_the_end_how_it_ended(state, slice_of, result_of):
    rules = "failed == 0\nchunks > 9\nduration.p99 < 1s"
    part = slice_of(started=1, chunks=3)
    verdict = result_of(parts=[part], rules=rules)["verdict"]
    state.judge_rules(verdict["slo"])
    standing = {("failed == 0",): 1, ("chunks > 9",): 0}
    assert dict(state.read()["stream_client_slo_passed"]) == standing
    state.end(result_of(parts=[part], rules=rules))
    ended = {**standing, ("duration.p99 < 1s",): 0}
    assert dict(state.read()["stream_client_slo_passed"]) == ended
    assert dict(state.read()["stream_client_result_slo_passed"]) == {
        ("run-1", *key): each for key, each in ended.items()
    }
    state.begin(RunLabels("run-2", "sse", ""), 0.0)
    assert "stream_client_slo_passed" not in state.read()
    state.end(result_of(parts=[part]))
    assert "stream_client_slo_passed" not in state.read()


@pytest.mark.parametrize(
    ("unit", "metric"),
    [("users", "stream_client_wanted_users"), ("streams/s", "stream_client_wanted_arrivals_per_second")],
)
def test_what_a_shape_wants_is_shown_as_long_as_it_wants_something(state, unit, metric):
    before = shown(state)
    state.want(unit, 7.5)
    assert shown(state) == before | {metric}
    assert state.read()[metric] == [((), 7.5)]
    state.want(unit, None)
    assert shown(state) == before
    state.want(unit, 3)
    state.end(None)
    state.want(unit, 4)
    assert metric not in shown(state)
    state.begin(SECOND_RUN, 0.0)
    assert metric not in shown(state)
