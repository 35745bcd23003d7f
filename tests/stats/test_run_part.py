"""A part of a run: failed streams take out their own times alone, and delays need the clocks of a longer time."""

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_part import RunPart
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats

KEY = ("a", "sse")
FIRST_S = 0.02


def add(part, t_s, failed=()):
    """Add a second in which ten streams have their first chunk, and some fail, so many seconds after theirs."""
    stats = StreamStats()
    stats.time_to_first_chunk.record_ns(round(FIRST_S * 1e9), 10)
    for ago_s in failed:
        record = StreamRecord(*KEY, Outcome.TRUNCATED, 0, ago_s + FIRST_S, time_to_first_chunk_s=FIRST_S)
        stats.end(record, "cut")
    second, keyed = SecondReport(t_s, 0, {KEY: stats}), [(KEY, stats)]
    part.count("p", second, 0.95, keyed)
    part.take_out_failed(second, keyed, since_s=5)


def test_failed_streams_leave_out_their_times_just_if_these_are_in_the_part():
    """The part begins at second 5. Of the streams that fail in second 8, two had their first chunk in second 4."""
    part = RunPart()
    for t_s in range(5, 8):
        add(part, t_s)
    add(part, 8, failed=(4, 4, 3, 0))
    assert part.all_stats[KEY].time_to_first_chunk.values.count == 40 - 2


def test_a_part_without_clocks_of_its_own_has_no_delays():
    part = RunPart()
    add(part, 5)
    assert part.chunk_delays() == {}
