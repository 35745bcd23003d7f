"""The history of a run: a bounded number of columns whose counts stay exact, however long the run lasts."""

import collections
import math
import random

import pytest

from streamgauge.stats.histogram import index_of
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_history import HEAT_BOUNDS_S, MOST_COLUMNS, RunHistory, heat_bucket
from streamgauge.stats.run_stats import MOST_LINES, OPEN_SECONDS, OTHER, RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats


def second(t_s, intervals_s=(), lag_s=(), cpu=0.0, outcomes=(), key=("a", "sse")):
    stats = StreamStats()
    for interval_s in intervals_s:
        stats.chunk_interval.record_ns(round(interval_s * 1e9))
    for outcome in outcomes:
        stats.end(StreamRecord(*key, outcome, 0.0, 1.0))
    report = SecondReport(t_s, active=1, all_stats={key: stats}, cpu=cpu)
    report.lag.record_all_ns([round(each_s * 1e9) for each_s in lag_s])
    return report


def add(history, part):
    history.add(part, part.all_stats.items())


def filled(parts, lines=(("a", "sse"),)):
    history = RunHistory(lambda: lines)
    for part in parts:
        add(history, part)
    return history


@pytest.mark.parametrize("bucket", range(len(HEAT_BOUNDS_S) - 1))
def test_a_duration_is_in_the_bucket_whose_bounds_it_lies_between(bucket):
    low_s, high_s = HEAT_BOUNDS_S[bucket : bucket + 2]
    middle_s = math.sqrt(low_s * high_s)
    assert heat_bucket(index_of(round(middle_s * 1e6))) == bucket


def test_durations_beyond_the_bounds_are_in_the_outermost_buckets():
    assert heat_bucket(index_of(0)) == 0
    assert heat_bucket(index_of(1)) == 0
    assert heat_bucket(index_of(3_600_000_000)) == len(HEAT_BOUNDS_S) - 2


@pytest.mark.parametrize(("seconds", "width_s"), [(MOST_COLUMNS, 1), (MOST_COLUMNS + 1, 2), (5 * MOST_COLUMNS, 8)])
def test_columns_widen_when_there_are_too_many(seconds, width_s):
    history = filled(second(t_s, [0.05]) for t_s in range(seconds))
    assert history.width_s == width_s
    assert len(history.columns) == math.ceil(seconds / width_s)
    assert [t_s for t_s, _ in history.since(0)] == list(range(0, seconds, width_s))


def test_counts_are_exact_however_wide_the_columns_are():
    dice = random.Random(7)
    outcomes, intervals = collections.Counter(), collections.Counter()
    history = filled([])
    for t_s in range(3 * MOST_COLUMNS):
        found = [dice.uniform(0.0001, 2) for _ in range(3)]
        ended = dice.choices(list(Outcome), k=2)
        outcomes.update(ended)
        part = second(t_s, found, outcomes=ended)
        stats = part.all_stats["a", "sse"]
        for index, times in stats.chunk_interval.all.counts.items():
            intervals[heat_bucket(index)] += times
        add(history, part)
    columns = history.columns.values()
    assert sum((column.outcomes for column in columns), collections.Counter()) == outcomes
    assert sum((column.counts() for column in columns), collections.Counter()) == intervals
    assert sum((column.counts(("a", "sse")) for column in columns), collections.Counter()) == intervals


def test_two_processes_are_counted_in_the_same_column():
    history = filled([second(3, [0.05], [0.001], cpu=0.2), second(3, [0.05], [0.009], cpu=0.7)])
    (column,) = history.columns.values()
    assert column.counts().total() == 2
    assert column.cpu_max == 0.7
    assert column.worst_lag_s == pytest.approx(0.009, rel=0.01)


def test_a_process_uses_at_most_one_core():
    assert filled([second(0, cpu=1.4)]).columns[0].cpu_max == 1.0


@pytest.mark.parametrize("worst_at", [0, 1])
def test_of_the_generators_lag_the_worst_remains_when_columns_widen(worst_at):
    lags = [[0.001], [0.001]]
    lags[worst_at] = [0.5]
    parts = [second(t_s, lag_s=lags[t_s] if t_s < 2 else [0.002]) for t_s in range(2 * MOST_COLUMNS)]
    assert filled(parts).columns[0].worst_lag_s == pytest.approx(0.5, rel=0.01)


def test_only_the_last_seconds_keep_their_histograms():
    history = filled(second(t_s, lag_s=[0.001]) for t_s in range(200))
    opened = [at for at, column in history.columns.items() if column.lag is not None]
    assert opened == list(range(199 - OPEN_SECONDS, 200))


def test_a_late_report_counts_in_a_column_that_is_closed():
    history = filled(second(t_s, [0.05], lag_s=[0.001]) for t_s in range(100))
    add(history, second(0, [0.05], lag_s=[0.25]))
    assert history.columns[0].counts().total() == 2
    assert history.columns[0].worst_lag_s == pytest.approx(0.25, rel=0.01)
    add(history, second(1))  # it read nothing, so it changes nothing
    assert history.columns[1].worst_lag_s == pytest.approx(0.001, rel=0.01)


def test_a_column_in_which_nothing_was_read_has_no_lag():
    history = filled(second(t_s) for t_s in range(2 * MOST_COLUMNS))
    assert {column.worst_lag_s for column in history.columns.values()} == {None}


def test_names_without_a_line_share_one():
    keys = [(f"name {number}", "sse") for number in range(5)]
    history = filled((second(0, [0.05], key=key) for key in keys), lines=keys[:3])
    ((_, column),) = history.since(0)
    assert {key: column.counts(key).total() for key in (*keys, OTHER)} == {
        **dict.fromkeys(keys[:3], 1),
        **dict.fromkeys(keys[3:], 0),
        OTHER: 2,
    }


@pytest.mark.parametrize("later_s", [1, OPEN_SECONDS + 5, 2 * MOST_COLUMNS])
def test_the_names_of_the_heat_map_are_those_of_the_timeline(later_s):
    """A busy name has a line though it came last."""
    run_stats = RunStats()
    history = RunHistory(run_stats.lines)
    for number in [*range(MOST_LINES + 3)] * 2:
        part = second(later_s if number else 0, [0.05] * number, key=(f"name {number:02}", "sse"))
        (stats,) = part.all_stats.values()
        stats.chunks = number
        history.add(part, run_stats.add("p", part, 0.9))
    lines = {key for _, column in history.since(0) for key in column.intervals}
    assert lines == {*run_stats.lines(), OTHER}
    assert (f"name {MOST_LINES + 2}", "sse") in lines
    assert sum(column.counts().total() for _, column in history.since(0)) == 2 * sum(range(MOST_LINES + 3))


def test_since_returns_the_columns_that_end_later():
    history = filled(second(t_s) for t_s in range(2 * MOST_COLUMNS))
    assert history.width_s == 2
    assert next(t_s for t_s, _ in history.since(9)) == 8
    assert next(t_s for t_s, _ in history.since(10)) == 10
