"""The bounds of trust and the marks, just inside and just beyond each edge."""

import pytest

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import uncertain_percentiles
from streamgauge.verdict.trust import verdict
from tests.stats.runs import MS, coalesced, coalesced_first
from tests.stats.runs import run as quiet_run

READS = 1_000


def run(stats: StreamStats | None = None, **fields) -> RunStats:
    """Ten seconds of one process, each as ``fields`` say."""
    return quiet_run(stats=stats, **{"reads": READS, **fields})


def intervals(value_ns: int, least_ns: int, most_ns: int, uncertain: int = 100, certain: int = 0) -> StreamStats:
    """``uncertain`` intervals that are only known as a range, and others at the same value that are exact."""
    return coalesced(least_ns, most_ns, uncertain, certain, at_ns=value_ns)


def first_chunks(most_ns: int, least_ns: int) -> StreamStats:
    return coalesced_first(least_ns, most_ns, uncertain=100, certain=0)


#: What is measured, its values inside and beyond, and the trust and the reason that begin there.
EDGES = {
    "lag": ("lag_ns", 49 * MS, 51 * MS, "degraded", "lag p99 51 ms (limit 50 ms)"),
    "invalid lag": ("lag_ns", 990 * MS, 1_010 * MS, "invalid", "(limit 1000 ms)"),
    "pause": ("longest_pause_s", 0.5, 0.501, "degraded", "did not run for 0.501 s (limit 0.5 s)"),
    "invalid pause": ("longest_pause_s", 5.0, 5.001, "invalid", "did not run for 5.001 s (limit 5 s)"),
    "one stop": ("longest_stopped_s", 0.1, 0.101, "degraded", "stopped for 101 ms without a break"),
    "stops": ("stopped_s", 0.0299, 0.0301, "degraded", "stopped for 3.01% of the time (limit 3%)"),
    "waits": ("waited_s", 0.199, 0.201, "degraded", "waited for a CPU for 20.1% of the time (limit 20%)"),
    "fallbacks": ("fallbacks", 2, 3, "degraded", "0.3% of reads had no usable kernel timestamp"),
}


#: The same of a process that reads late.
BUSY_EDGES = {
    "a busy second": ("cpu", 0.949, 0.95, "degraded", "used 95% or more of a core in 10 of 10 seconds"),
    "busy seconds": ("busy_seconds", 2, 3, "degraded", "used 95% or more of a core in 3 of 10 seconds"),
}


@pytest.mark.parametrize(("field", "inside", "beyond", "trust", "reason"), BUSY_EDGES.values(), ids=BUSY_EDGES)
def test_a_bound_of_a_late_process_is_where_it_is_said_to_be(field, inside, beyond, trust, reason):
    assert verdict(run(lag_ns=20 * MS, **{field: inside})) == ("trusted", [])
    found, (said,) = verdict(run(lag_ns=20 * MS, **{field: beyond}))
    assert (found, reason in said) == (trust, True)


@pytest.mark.parametrize(("field", "inside", "beyond", "trust", "reason"), EDGES.values(), ids=EDGES)
def test_a_bound_of_trust_is_where_it_is_said_to_be(field, inside, beyond, trust, reason):
    better = {"degraded": "trusted", "invalid": "degraded"}[trust]
    assert verdict(run(**{field: inside}))[0] == better
    found, reasons = verdict(run(**{field: beyond}))
    assert found == trust
    assert any(reason in each for each in reasons), reasons


def test_chunks_that_share_a_read_are_no_reason_while_their_times_are_known_closely():
    assert verdict(run(intervals(10 * MS, 10 * MS, 10 * MS, uncertain=1000))) == ("trusted", [])


def test_a_busy_process_is_a_reason_only_once_it_reads_late():
    assert verdict(run(cpu=1.0, lag_ns=9_900_000)) == ("trusted", [])
    trust, (reason,) = verdict(run(cpu=1.0, lag_ns=10_200_000))
    assert (trust, "used 95% or more of a core" in reason) == ("degraded", True)


def is_open(stats: StreamStats, metric: str) -> bool:
    return any(f"{metric} p" in each and "lies somewhere" in each for each in verdict(run(stats))[1])


#: Of 20 ms 1 % counts, of 1 ms 0.1 ms: how far off a figure may be.
@pytest.mark.parametrize(("value_ns", "edge_ns"), [(20 * MS, 200_000), (MS, 100_000)])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_percentile_that_is_off_by_more_than_trusted_runs_may_be_is_a_reason(value_ns, edge_ns, side):
    def ends(off_ns: int) -> tuple[int, int]:
        return min(value_ns, value_ns + side * off_ns), max(value_ns, value_ns + side * off_ns)

    assert not is_open(intervals(value_ns, *ends(round(0.97 * edge_ns))), "chunk interval")
    assert is_open(intervals(value_ns, *ends(round(1.03 * edge_ns))), "chunk interval")
    assert not is_open(first_chunks(value_ns, value_ns - round(0.97 * edge_ns)), "time to first chunk")
    assert is_open(first_chunks(value_ns, value_ns - round(1.03 * edge_ns)), "time to first chunk")


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.6, "(2 more percentiles are uncertain)"),
        (0.2, "(1 more percentile is uncertain)"),
        (0.02, "chunk interval p99 lies somewhere between 10 and 20 ms: 2.0% of its chunks"),
        (0.005, None),
    ],
)
def test_a_run_answers_for_p50_p90_and_p99(share, said):
    uncertain = round(1_000 * share)
    stats = intervals(10 * MS, 10 * MS, 20 * MS, uncertain, 1_000 - uncertain)
    found = [each for each in verdict(run(stats))[1] if "lies somewhere" in each]
    assert [said in each for each in found] == [True] * (said is not None)


#: Of 20 ms 0.6 % counts, of 1 ms 0.05 ms: what tables mark.
@pytest.mark.parametrize(("value_ns", "edge_ns"), [(20 * MS, 120_000), (MS, 50_000)])
@pytest.mark.parametrize(("share", "marked"), [(0.97, False), (1.03, True)])
def test_a_percentile_is_marked_from_there(value_ns, edge_ns, share, marked):
    off_ns, half = round(share * edge_ns), {"p50": 0.5}
    assert bool(uncertain_percentiles(intervals(value_ns, value_ns, value_ns + off_ns).chunk_interval, half)) is marked
    assert bool(uncertain_percentiles(intervals(value_ns, value_ns - off_ns, value_ns).chunk_interval, half)) is marked
    assert (
        bool(uncertain_percentiles(first_chunks(value_ns, value_ns - off_ns).time_to_first_chunk, {"least": 0.0}))
        is marked
    )
    stats = StreamStats()
    value_s, more_s = value_ns / 1e9, (value_ns + off_ns) / 1e9
    stats.end(
        StreamRecord(
            "chat", "openai", Outcome.COMPLETED, 0.0, 1.0, tokens=9,
            time_per_output_token_s=value_s, time_per_output_token_range_s=(value_s, more_s),
        )
    )  # fmt: skip
    assert bool(uncertain_percentiles(stats.time_per_output_token, half)) is marked


def test_fifty_reasons_are_kept_apart_and_of_equally_rare_ones_the_oldest_are_not_named():
    stats = StreamStats()
    for number in (*range(50), 50, 51, 7):
        stats.end(StreamRecord("a", "sse", Outcome.TRUNCATED, 0.0, 1.0, reason=f"after {number}"))
    kept = {f"truncated: after {number}": 1 + (number == 7) for number in range(2, 52)}
    assert stats.reasons == {**kept, "truncated: other reasons": 2}


def test_a_body_ends_late_from_half_a_millisecond_and_a_name_from_the_second_of_eight():
    stats = StreamStats()
    for _ in range(100):
        stats.note_end(500_000)
    assert not stats.ends_late
    stats.note_end(500_001)
    assert not stats.ends_late
    stats.note_end(500_001)
    assert stats.ends_late
    late = [stats.note_end(0) or stats.ends_late for _ in range(4)]
    assert late == [True, True, True, False]
