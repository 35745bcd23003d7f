"""The slowest streams of a name: the right ones, whatever the order in which processes and seconds report them."""

import json
import random

import pytest

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.slowest import MOST_SLOW, Slowest, SlowStream
from streamgauge.stats.stream_stats import StreamStats

KEY = ("a", "sse")


def record(first_s, interval_s=None, outcome=Outcome.COMPLETED, chunks=3):
    return StreamRecord(
        *KEY, outcome, 0.0, 9.0, time_to_first_chunk_s=first_s, max_chunk_interval_s=interval_s, chunks=chunks
    )


def counted(records):
    slowest = Slowest()
    for each in records:
        slowest.count(each)
    return slowest


def firsts(slowest):
    return [each.time_to_first_chunk_s for each in slowest.time_to_first_chunk]


def test_the_slowest_by_each_measure_are_kept_and_no_more():
    dice = random.Random(3)
    first_s, interval_s = dice.sample(range(1000), 60), dice.sample(range(1000), 60)
    slowest = counted(record(*pair) for pair in zip(first_s, interval_s, strict=True))
    assert firsts(slowest) == sorted(first_s, reverse=True)[:MOST_SLOW]
    assert [each.value_s for each in slowest.chunk_interval] == sorted(interval_s, reverse=True)[:MOST_SLOW]


def test_a_stream_that_is_slower_than_the_last_of_the_slowest_alone_is_kept():
    assert firsts(counted(record(first_s) for first_s in (9, 8, 7, 6, 1, 5))) == [9, 8, 7, 6, 5]


def test_a_slow_stream_is_described_whole():
    slow = counted([record(0.25, 0.5, Outcome.STALLED, chunks=7)]).chunk_interval
    assert slow == [SlowStream(0.5, -1, 0.25, 0.5, 9.0, 7, "stalled")]


def test_a_stream_without_a_chunk_is_not_slow():
    assert not counted([record(None, outcome=Outcome.CONNECT_ERROR, chunks=0)])
    assert firsts(counted([record(0.0)])) == [0.0]


def test_one_chunk_has_no_interval():
    slowest = counted([record(0.5, chunks=1)])
    assert (len(slowest.time_to_first_chunk), slowest.chunk_interval) == (1, [])
    assert slowest


@pytest.mark.parametrize("seed", range(5))
def test_merging_is_the_same_in_any_order(seed):
    dice = random.Random(seed)
    parts = [counted([record(dice.randint(1, 9), dice.randint(1, 9)) for _ in range(4)]) for _ in range(6)]
    found = []
    for order in (parts, dice.sample(parts, 6)):
        whole = Slowest()
        for part in order:
            whole.merge(part)
        found.append(whole.to_list())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    "differing",
    [{"t_s": 1}, {"max_chunk_interval_s": 1.0}, {"duration_s": 2.0}, {"chunks": 4}],
    ids=lambda each: next(iter(each)),
)
def test_of_streams_that_are_equally_slow_the_same_are_kept_in_any_order(differing):
    alike = SlowStream(0.5, 0, 0.5, None, 9.0, 3, "completed")
    found = []
    for order in ([alike] * 4 + [alike._replace(**differing)] * 4, [alike._replace(**differing)] * 4 + [alike] * 4):
        whole = Slowest()
        for each in order:
            part = Slowest()
            part.time_to_first_chunk = [each]
            whole.merge(part)
        found.append(whole)
    assert found[0] == found[1]


def test_a_run_knows_in_which_second_they_ended():
    run_stats = RunStats()
    for t_s, first_s in ((0, 0.1), (7, 0.9), (9, 0.5)):
        stats = StreamStats()
        stats.end(record(first_s, first_s * 2, Outcome.STALLED))
        run_stats.add("one", SecondReport(t_s, active=0, all_stats={KEY: stats}), 0.9)
    slowest = run_stats.all_stats[KEY].slowest
    assert [(each.t_s, each.value_s, each.outcome) for each in slowest.time_to_first_chunk] == [
        (7, 0.9, "stalled"), (9, 0.5, "stalled"), (0, 0.1, "stalled"),
    ]  # fmt: skip
    assert [(each.t_s, each.value_s) for each in slowest.chunk_interval] == [(7, 1.8), (9, 1.0), (0, 0.2)]


def test_what_is_taken_is_sent_whole_and_counting_starts_again():
    stats = StreamStats()
    stats.end(record(0.25, 0.5))
    taken = stats.take()
    assert not stats.slowest
    again = StreamStats.from_dict(json.loads(json.dumps(taken.to_dict())))
    assert again.slowest.to_list() == taken.slowest.to_list()
    assert again.slowest.time_to_first_chunk == taken.slowest.time_to_first_chunk
