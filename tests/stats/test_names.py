"""A name for each stream: the first names keep their own statistics, and the others share one, exactly."""

from collections import Counter

import pytest

from streamgauge.stats.names import MOST_NAMES, OTHER_NAMES, Names
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_stats import OTHER, RunStats
from streamgauge.stats.second_report import SecondReport


def stream(process_stats, name, reason="x"):
    """One stream, whose protocol is not known before its response."""
    stats = process_stats.begin(name, "auto")
    stats = process_stats.change_protocol(stats, name, "sse")
    stats.chunks += 1
    process_stats.end(stats, StreamRecord(name, "sse", Outcome.TRUNCATED, 0.0, 0.1, reason=reason))


def second(process_stats, t_s=0):
    all_stats, lag = process_stats.take()
    left_out = process_stats.names.take_left_out()
    return SecondReport(t_s=t_s, active=0, all_stats=all_stats, lag=lag, names_left_out=left_out)


def test_a_known_name_stays_itself_and_a_further_one_counts_once():
    names = Names()
    first = [str(each) for each in range(MOST_NAMES)]
    assert [names.counted_as(each) for each in first] == first
    assert [names.counted_as(each) for each in ("new", "new", "newer", "0")] == [OTHER_NAMES] * 3 + ["0"]
    assert (names.left_out, names.take_left_out(), names.take_left_out()) == (2, 2, 0)
    assert (names.counted_as(OTHER_NAMES), names.counted_as("newest")) == (OTHER_NAMES, OTHER_NAMES)
    assert names.take_left_out() == 1


def test_a_process_holds_no_more_than_the_limit_and_loses_no_stream():
    process_stats = ProcessStats()
    for number in range(3 * MOST_NAMES):
        stream(process_stats, f"/session/{number}")
    assert len({name for name, _ in process_stats.all_stats}) == MOST_NAMES + 1
    report = second(process_stats)
    assert report.all_stats[OTHER_NAMES, "sse"].started == report.names_left_out == 2 * MOST_NAMES
    assert sum(stats.failed for stats in report.all_stats.values()) == 3 * MOST_NAMES


def test_names_of_an_earlier_run_leave_room_for_those_of_the_next():
    process_stats = ProcessStats()
    for number in range(2 * MOST_NAMES):
        stream(process_stats, f"/session/{number}")
    process_stats.reset()
    stream(process_stats, "/events")
    assert set(second(process_stats).all_stats) == {("/events", "sse")}


def test_a_stream_that_outlasts_a_reset_is_counted_where_it_began():
    process_stats = ProcessStats()
    for number in range(MOST_NAMES):
        stream(process_stats, f"/session/{number}")
    stats = process_stats.begin("late", "sse")
    process_stats.reset()
    stats.chunks += 5
    assert second(process_stats).all_stats[OTHER_NAMES, "sse"].chunks == 5


@pytest.mark.parametrize("processes", [1, 3])
def test_the_sums_do_not_depend_on_the_number_of_processes(processes):
    run_stats, workers = RunStats(), [ProcessStats() for _ in range(processes)]
    for number in range(6 * MOST_NAMES):
        stream(workers[number % processes], f"/session/{number}", reason=f"at {number % 7}")
    for t_s in range(2):
        for at, worker in enumerate(workers):
            run_stats.add(str(at), SecondReport.from_dict(second(worker, t_s).to_dict()), 1.0)
    assert len({name for name, stats in run_stats.all_stats.items() if stats.counted}) == MOST_NAMES + 1
    assert sum(stats.failed for stats in run_stats.all_stats.values()) == 6 * MOST_NAMES
    reasons = sum((Counter(stats.reasons) for stats in run_stats.all_stats.values()), Counter())
    assert set(reasons) == {f"truncated: at {number}" for number in range(7)}
    assert run_stats.names_left_out == 5 * MOST_NAMES


def test_other_names_are_in_the_timelines_line_of_all_other_names():
    process_stats, run_stats = ProcessStats(), RunStats()
    for number in range(2 * MOST_NAMES):
        stream(process_stats, f"/session/{number}")
    run_stats.add("p", second(process_stats), 1.0)
    names = run_stats.names(run_stats.seconds[0])
    assert names[OTHER].started == 2 * MOST_NAMES - (len(names) - 1)
    assert (OTHER_NAMES, "sse") not in names
