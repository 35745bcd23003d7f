"""Stream stats at their edges: reasons that keep their name, first chunks that are uncertain, delays that are taken."""

import pytest

from streamgauge.stats.clocks.raw_delays import RawDelays
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.reasons import MAX_REASONS
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.stream_stats import StreamStats

MS = 1_000_000


def failed_for(*reasons: str) -> StreamStats:
    stats = StreamStats()
    for reason in reasons:
        stats.end(StreamRecord("a", "sse", Outcome.TRUNCATED, 0.0, 1.0, reason=reason))
    return stats


def test_the_reason_that_loses_its_name_is_the_rarest_wherever_it_stands_in_the_alphabet():
    common = [f"after {number:02}" for number in range(MAX_REASONS - 1)]
    stats = failed_for(*common, "rare", *common)
    assert stats.reasons["truncated: rare"] == 1
    stats.merge(failed_for("new", "new"))
    expected = {f"truncated: {reason}": 2 for reason in (*common, "new")}
    assert stats.reasons == {**expected, "truncated: other reasons": 1}


@pytest.mark.parametrize("named", [MAX_REASONS - 1, MAX_REASONS])
def test_what_others_could_not_name_takes_no_name_away(named):
    stats, other = failed_for(*(f"after {number}" for number in range(named))), StreamStats()
    other.reasons.update({"stalled: other reasons": 7, "http_error: other reasons": 8})
    before = dict(stats.reasons)
    stats.merge(other)
    assert stats.reasons == before | dict(other.reasons)


def first_chunks(*uncertain_ns: tuple[int, int], certain_ns: tuple[int, ...] = ()) -> StreamStats:
    """First chunks of which each uncertain one is known by the least and the most that it can be."""
    stats = StreamStats()
    stats.time_to_first_chunk.all.record_all_ns([*certain_ns, *(most_ns for _, most_ns in uncertain_ns)])
    stats.time_to_first_chunk.uncertain.record_all_ns([most_ns for _, most_ns in uncertain_ns])
    stats.time_to_first_chunk.least.record_all_ns([least_ns for least_ns, _ in uncertain_ns])
    return stats


def test_of_first_chunks_as_many_are_open_as_did_not_fail():
    stats = first_chunks((5 * MS, 20 * MS), (10 * MS, 30 * MS), (12 * MS, 40 * MS), certain_ns=(60 * MS,))
    stats.time_to_first_chunk.failed.record_ns(30 * MS)
    least, most = stats.time_to_first_chunk.bounds()
    assert (least.count, most.count) == (3, 3)
    assert least.quantiles_s((0.3, 0.6, 1.0)) == pytest.approx([0.005, 0.010, 0.060], rel=0.01)
    assert most.quantiles_s((0.3, 0.6, 1.0)) == pytest.approx([0.020, 0.040, 0.060], rel=0.01)


def test_a_first_chunk_at_its_least_counts_beside_others_of_the_same_length():
    least, most = first_chunks(
        (10 * MS, 20 * MS), (10 * MS, 30 * MS), certain_ns=(10 * MS,) * 3
    ).time_to_first_chunk.bounds()
    assert (least.count, most.count) == (5, 5)
    assert [times for times in least.counts.values() if times] == [5]


@pytest.mark.parametrize("seen", ["a chunk", "a request", "both"])
def test_what_bounds_a_clock_from_one_side_alone_is_taken_too(seen):
    stats, raw = StreamStats(), RawDelays(same_clock=False)
    stats.delays["clock"] = raw
    stats.delays["silent"] = RawDelays(same_clock=False)
    if seen != "a request":
        raw.chunk(2 * MS, MS)
    if seen != "a chunk":
        raw.note_request(MS, 2 * MS)
    assert stats.take().delays == {"clock": raw}
    assert stats.take().delays == {}
