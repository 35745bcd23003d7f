"""Runs: slices of all processes, added up."""

import json
import random

import pytest

from streamgauge.client.read.timing import ChunkTimer
from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_part import Process
from streamgauge.stats.run_stats import OPEN_SECONDS, RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats


def slice_of(t_s: int, dice: random.Random) -> SecondReport:
    """A second in which something happened."""
    all_stats = {}
    for name in dice.sample(["a", "b", "c"], dice.randint(1, 3)):
        stats = all_stats[name, "sse"] = StreamStats()
        for _ in range(dice.randint(1, 20)):
            stats.started += 1
            stats.chunks += 1
            stats.bytes += dice.randint(1, 500)
            stats.time_to_first_chunk.record_ns(dice.randint(1, 10**9))
            stats.chunk_interval.record_ns(dice.randint(1, 10**9))
            stats.end(StreamRecord(name, "sse", dice.choice(list(Outcome)), 0.0, dice.random(), reason="x"))
    lag = Histogram()
    lag.record_ns(dice.randint(1, 10**7))
    return SecondReport(
        t_s, active=dice.randint(0, 9), all_stats=all_stats, lag=lag, reads=10, fallbacks=1,
        clock_steps=dice.randint(0, 1), cpu=dice.random(), longest_pause_s=dice.random(),
    )  # fmt: skip


def plain(run_stats: RunStats) -> dict:
    return {
        "all_stats": {key: stats.to_dict() | {"reasons": {}} for key, stats in sorted(run_stats.all_stats.items())},
        "histograms": {key: stats.chunk_interval.all.to_sorted() for key, stats in sorted(run_stats.all_stats.items())},
        "seconds": {
            t_s: (s.started, s.finished, s.failed, s.chunks, s.bytes, s.times(), dict(s.active_by))
            for t_s, s in sorted(run_stats.seconds.items())
        },
        "generator": (run_stats.lag.to_sorted(), run_stats.reads, run_stats.fallbacks, run_stats.clock_steps),
        "extremes": (run_stats.cpu_max, run_stats.longest_pause_s, dict(run_stats.processes)),
    }  # fmt: skip


def sorted_counts(value: dict) -> dict:
    """Flat bucket counts come in the order of recording: sorted, equal histograms are equal dicts."""
    parts = [part for stats in value["all_stats"].values() for part in stats.values() if isinstance(part, dict)]
    for part in [*parts, *(each for outer in parts for each in outer.values() if isinstance(each, dict))]:
        if "counts" in part:
            part["counts"] = sorted(zip(part["counts"][::2], part["counts"][1::2], strict=True))
    return value


def test_a_slice_survives_json():
    part = slice_of(3, random.Random(1))
    back = SecondReport.from_dict(json.loads(json.dumps(part.to_dict())))
    assert back.to_dict() == part.to_dict()
    assert back.all_stats.keys() == part.all_stats.keys()


def test_totals_do_not_depend_on_the_order_in_which_processes_report():
    dice = random.Random(2)
    parts = [(f"process {n}", slice_of(t_s, dice)) for t_s in range(10) for n in range(3)]
    ordered, mixed = RunStats(), RunStats()
    for process, part in parts:
        ordered.add(process, part, busy_cpu=0.9)
    dice.shuffle(parts)
    for process, part in parts:
        mixed.add(process, SecondReport.from_dict(json.loads(json.dumps(part.to_dict()))), busy_cpu=0.9)
    assert sorted_counts(plain(mixed)) == sorted_counts(plain(ordered))


def test_two_processes_add_up_to_the_one_that_did_the_work_of_both():
    dice = random.Random(3)
    one, two = slice_of(0, dice), slice_of(0, dice)
    both = RunStats()
    both.add("a", one, 0.9)
    both.add("b", two, 0.9)
    assert both.seconds[0].active_by == {"a": one.active, "b": two.active}
    for key, stats in both.all_stats.items():
        parts = [part.all_stats[key] for part in (one, two) if key in part.all_stats]
        assert stats.started == sum(part.started for part in parts)
        assert stats.outcomes == sum((part.outcomes for part in parts), start=type(stats.outcomes)())
        assert stats.duration.all.sum_ns == sum(part.duration.all.sum_ns for part in parts)
    assert both.seconds[0].chunks == sum(stats.chunks for stats in both.all_stats.values())


def by_name(run_stats: RunStats) -> dict:
    """What each name did in the first second."""
    found = run_stats.names(run_stats.seconds[0])
    return {key: (second.to_dict(), second.times) for key, second in found.items()}


def test_a_second_that_is_closed_keeps_its_percentiles_and_lets_its_histograms_go():
    run_stats, dice = RunStats(), random.Random(4)
    run_stats.add("a", slice_of(0, dice), 0.9)
    before, names = run_stats.seconds[0].times(), by_name(run_stats)
    active = run_stats.seconds[0].active
    run_stats.add("a", slice_of(OPEN_SECONDS + 1, dice), 0.9)
    second = run_stats.seconds[0]
    assert (second.all_stats, second.active_by) == (None, {})
    assert second.active == active
    assert second.times() == before
    assert by_name(run_stats) == names


def test_what_coalesced_reads_leave_open_of_a_second_stays_when_it_is_closed():
    run_stats, stats = RunStats(), StreamStats()
    ChunkTimer(stats, 0, 10**12).coalesced_chunks(5, 20_000_000, 50_000_000, last_is_exact=True)
    run_stats.add("a", SecondReport(0, 1, {("a", "sse"): stats}), 0.9)
    before = run_stats.seconds[0].times().ranges_s
    assert before["time_to_first_chunk"]["p50"] == (pytest.approx(0.02, rel=0.01), pytest.approx(0.05, rel=0.01))
    assert before["chunk_interval"]["p50"] == (0.0, pytest.approx(0.03, rel=0.01))
    run_stats.add("a", SecondReport(OPEN_SECONDS + 1, 1), 0.9)
    assert run_stats.seconds[0].times().ranges_s == before
    assert run_stats.seconds[OPEN_SECONDS + 1].times().ranges_s == {}


def test_what_comes_for_a_closed_second_still_counts():
    run_stats, dice = RunStats(), random.Random(5)
    run_stats.add("a", slice_of(0, dice), 0.9)
    run_stats.add("a", slice_of(OPEN_SECONDS + 1, dice), 0.9)
    late = slice_of(0, dice)
    chunks, times = run_stats.seconds[0].chunks, run_stats.seconds[0].times()
    run_stats.add("late", late, 0.9)
    assert run_stats.seconds[0].chunks == chunks + sum(stats.chunks for stats in late.all_stats.values())
    assert run_stats.seconds[0].times() == times
    assert sum(each.chunks for each in run_stats.names(run_stats.seconds[0]).values()) == run_stats.seconds[0].chunks


def test_a_long_run_keeps_few_histograms():
    run_stats, dice = RunStats(), random.Random(6)
    for t_s in range(200):
        run_stats.add("a", slice_of(t_s, dice), 0.9)
    assert sum(second.all_stats is not None for second in run_stats.seconds.values()) <= OPEN_SECONDS + 1


@pytest.mark.parametrize(("cpu", "busy"), [(0.5, 0), (0.95, 1), (1.2, 1)])
def test_a_second_at_the_limit_of_a_core_is_busy(cpu, busy):
    run_stats = RunStats()
    run_stats.add("a", SecondReport(0, 0, cpu=cpu), busy_cpu=0.95)
    assert run_stats.processes == {"a": Process(seconds=1, busy_seconds=busy)}
    assert run_stats.cpu_max == min(1.0, cpu)
