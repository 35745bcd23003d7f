"""Runs: slices of all processes, added up."""

import json
import random

import pytest

from streamgauge.client.timing import ChunkTimer
from streamgauge.measure.histogram import Histogram
from streamgauge.measure.outcome import Outcome
from streamgauge.measure.record import StreamRecord
from streamgauge.measure.slice import Slice
from streamgauge.measure.tally import Tally
from streamgauge.measure.totals import OPEN_SECONDS, Process, RunTotals


def slice_of(t_s: int, dice: random.Random) -> Slice:
    """A second in which something happened."""
    tallies = {}
    for name in dice.sample(["a", "b", "c"], dice.randint(1, 3)):
        tally = tallies[name, "sse"] = Tally()
        for _ in range(dice.randint(1, 20)):
            tally.started += 1
            tally.chunks += 1
            tally.bytes += dice.randint(1, 500)
            tally.time_to_first_chunk.record_ns(dice.randint(1, 10**9))
            tally.chunk_interval.record_ns(dice.randint(1, 10**9))
            tally.end(StreamRecord(name, "sse", dice.choice(list(Outcome)), 0.0, dice.random(), reason="x"))
    lag = Histogram()
    lag.record_ns(dice.randint(1, 10**7))
    return Slice(
        t_s, active=dice.randint(0, 9), tallies=tallies, lag=lag, reads=10, fallbacks=1, clock_steps=dice.randint(0, 1),
        cpu=dice.random(), longest_pause_s=dice.random(),
    )  # fmt: skip


def plain(totals: RunTotals) -> dict:
    return {
        "tallies": {key: tally.to_dict() | {"reasons": {}} for key, tally in sorted(totals.tallies.items())},
        "histograms": {key: tally.chunk_interval.to_sorted() for key, tally in sorted(totals.tallies.items())},
        "seconds": {
            t_s: (s.started, s.finished, s.failed, s.chunks, s.bytes, s.times(), dict(s.active_by))
            for t_s, s in sorted(totals.seconds.items())
        },
        "generator": (totals.lag.to_sorted(), totals.reads, totals.fallbacks, totals.clock_steps),
        "extremes": (totals.cpu_max, totals.longest_pause_s, dict(totals.processes)),
    }  # fmt: skip


def sorted_counts(value: dict) -> dict:
    """Flat bucket counts come in the order of recording: sorted, equal histograms are equal dicts."""
    for tally in value["tallies"].values():
        for part in tally.values():
            if isinstance(part, dict) and "counts" in part:
                part["counts"] = sorted(zip(part["counts"][::2], part["counts"][1::2], strict=True))
    return value


def test_a_slice_survives_json():
    part = slice_of(3, random.Random(1))
    back = Slice.from_dict(json.loads(json.dumps(part.to_dict())))
    assert back.to_dict() == part.to_dict()
    assert back.tallies.keys() == part.tallies.keys()


def test_totals_do_not_depend_on_the_order_in_which_processes_report():
    dice = random.Random(2)
    parts = [(f"process {n}", slice_of(t_s, dice)) for t_s in range(10) for n in range(3)]
    ordered, mixed = RunTotals(), RunTotals()
    for process, part in parts:
        ordered.add(process, part, busy_cpu=0.9)
    dice.shuffle(parts)
    for process, part in parts:
        mixed.add(process, Slice.from_dict(json.loads(json.dumps(part.to_dict()))), busy_cpu=0.9)
    assert sorted_counts(plain(mixed)) == sorted_counts(plain(ordered))


def test_two_processes_add_up_to_the_one_that_did_the_work_of_both():
    dice = random.Random(3)
    one, two = slice_of(0, dice), slice_of(0, dice)
    both = RunTotals()
    both.add("a", one, 0.9)
    both.add("b", two, 0.9)
    assert both.seconds[0].active_by == {"a": one.active, "b": two.active}
    for key, tally in both.tallies.items():
        parts = [part.tallies[key] for part in (one, two) if key in part.tallies]
        assert tally.started == sum(part.started for part in parts)
        assert tally.outcomes == sum((part.outcomes for part in parts), start=type(tally.outcomes)())
        assert tally.duration.sum_ns == sum(part.duration.sum_ns for part in parts)
    assert both.seconds[0].chunks == sum(tally.chunks for tally in both.tallies.values())


def test_a_second_that_is_closed_keeps_its_percentiles_and_lets_its_histograms_go():
    totals, dice = RunTotals(), random.Random(4)
    totals.add("a", slice_of(0, dice), 0.9)
    before, names = totals.seconds[0].times(), totals.names(totals.seconds[0])
    active = totals.seconds[0].active
    totals.add("a", slice_of(OPEN_SECONDS + 1, dice), 0.9)
    second = totals.seconds[0]
    assert (second.tallies, second.active_by) == (None, {})
    assert second.active == active
    assert second.times() == before
    assert totals.names(second) == names


def test_what_coalesced_reads_leave_open_of_a_second_stays_when_it_is_closed():
    totals, tally = RunTotals(), Tally()
    ChunkTimer(tally, 0, 10**12).coalesced_chunks(5, 20_000_000, 50_000_000, last_is_exact=True)
    totals.add("a", Slice(0, 1, {("a", "sse"): tally}), 0.9)
    before = totals.seconds[0].times().ranges_s
    assert before["time_to_first_chunk"]["p50"] == (pytest.approx(0.02, rel=0.01), pytest.approx(0.05, rel=0.01))
    assert before["chunk_interval"]["p50"] == (0.0, pytest.approx(0.03, rel=0.01))
    totals.add("a", Slice(OPEN_SECONDS + 1, 1), 0.9)
    assert totals.seconds[0].times().ranges_s == before
    assert totals.seconds[OPEN_SECONDS + 1].times().ranges_s == {}


def test_what_comes_for_a_closed_second_still_counts():
    totals, dice = RunTotals(), random.Random(5)
    totals.add("a", slice_of(0, dice), 0.9)
    totals.add("a", slice_of(OPEN_SECONDS + 1, dice), 0.9)
    late = slice_of(0, dice)
    chunks, times = totals.seconds[0].chunks, totals.seconds[0].times()
    totals.add("late", late, 0.9)
    assert totals.seconds[0].chunks == chunks + sum(tally.chunks for tally in late.tallies.values())
    assert totals.seconds[0].times() == times
    assert sum(each.chunks for each in totals.names(totals.seconds[0]).values()) == totals.seconds[0].chunks


def test_a_long_run_keeps_few_histograms():
    totals, dice = RunTotals(), random.Random(6)
    for t_s in range(200):
        totals.add("a", slice_of(t_s, dice), 0.9)
    assert sum(second.tallies is not None for second in totals.seconds.values()) <= OPEN_SECONDS + 1


@pytest.mark.parametrize(("cpu", "busy"), [(0.5, 0), (0.95, 1), (1.2, 1)])
def test_a_second_at_the_limit_of_a_core_is_busy(cpu, busy):
    totals = RunTotals()
    totals.add("a", Slice(0, 0, cpu=cpu), busy_cpu=0.95)
    assert totals.processes == {"a": Process(seconds=1, busy_seconds=busy)}
    assert totals.cpu_max == min(1.0, cpu)
