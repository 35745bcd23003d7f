"""Stream stats at their edges: reasons that keep their name, first chunks that are uncertain, delays that are taken."""

import pytest

from streamgauge.stats.bounded_times import BoundedTimes
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


def ended(stats: StreamStats, outcome: Outcome, range_ms: tuple[int, int]) -> None:
    """Count a stream whose first chunk is known as a range."""
    least_ns, most_ns = (each * MS for each in range_ms)
    value_ns = (least_ns + most_ns) // 2
    stats.time_to_first_chunk.record_between_ns(value_ns, least_ns, most_ns)
    range_s = (least_ns / 1e9, most_ns / 1e9)
    more = {"time_to_first_chunk_s": value_ns / 1e9, "time_to_first_chunk_range_s": range_s, "reason": "x"}
    stats.end(StreamRecord("a", "sse", outcome, 0.0, 1.0, **more))


def test_what_is_uncertain_of_first_chunks_is_that_of_streams_that_did_not_fail():
    stats = StreamStats()
    ended(stats, Outcome.COMPLETED, (5, 20))
    ended(stats, Outcome.STALLED, (1, 80))
    ended(stats, Outcome.ABORTED, (10, 40))
    least, most = stats.time_to_first_chunk.bounds()
    assert stats.time_to_first_chunk.values.sum_ns == 37_500_000
    assert (least.count, most.count) == (2, 2)
    assert (least.sum_ns, most.sum_ns) == (15 * MS, 60 * MS)
    assert least.quantiles_s((0.5, 1.0)) == pytest.approx([0.005, 0.010], rel=0.01)
    assert most.quantiles_s((0.5, 1.0)) == pytest.approx([0.020, 0.040], rel=0.01)


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


def scheduled(outcome: Outcome = Outcome.COMPLETED, **fields) -> StreamRecord:
    return StreamRecord("a", "sse", outcome, 0.0, 1.0, time_to_first_chunk_s=0.5, start_delay_s=0.2, **fields)


@pytest.mark.parametrize("outcome", [Outcome.COMPLETED, Outcome.CENSORED, Outcome.TRUNCATED])
@pytest.mark.parametrize("knows", [True, False], ids=["its first chunk counts", "a reset took its first chunk"])
def test_the_service_time_to_first_chunk_is_of_the_streams_whose_time_to_first_chunk_counts(outcome, knows):
    stats = StreamStats()
    if knows:
        stats.time_to_first_chunk.record_s(0.5, None)
    stats.end(scheduled(outcome), knows_first_chunk=knows)
    assert stats.service_time_to_first_chunk.all.count == stats.time_to_first_chunk.values.count


def test_a_service_time_is_never_below_zero_where_its_range_begins_below_the_start_delay(monkeypatch):
    counted = []
    monkeypatch.setattr(BoundedTimes, "record_between_ns", lambda _, *times_ns: counted.append(times_ns))
    StreamStats().end(scheduled(time_to_first_chunk_range_s=(0.1, 0.9), duration_range_s=(0.0, 2.0)))
    assert counted[:2] == [(300 * MS, 0, 700 * MS), (800 * MS, 0, 1800 * MS)]
