"""Runs of one load generator process that are quiet but for what is said of them."""

from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.verdict.trust import DEFAULT_BOUNDS

MS = 1_000_000


def streams(started: int = 10, chunks: int = 100, **outcomes: int) -> StreamStats:
    stats = StreamStats()
    stats.started, stats.chunks = started, chunks
    stats.outcomes.update(outcomes or {"completed": started})
    return stats


def run(
    *, seconds: int = 10, lag_ns: int = 100_000, busy_seconds: int = 0, stats: StreamStats | None = None, **fields
) -> RunStats:
    run_stats = RunStats()
    stats = stats or streams()
    for t_s in range(seconds):
        part = SecondReport(t_s, active=1, **{"reads": 100, "cpu": float(t_s < busy_seconds), **fields})
        part.lag.record_ns(lag_ns, 100)
        if t_s == 0:
            part.all_stats["a", "sse"] = stats
        run_stats.add("a", part, DEFAULT_BOUNDS.busy_cpu)
    return run_stats


def coalesced(least_ns: int, most_ns: int, uncertain: int = 50, certain: int = 50, at_ns: int = 10 * MS) -> StreamStats:
    stats = streams(chunks=uncertain + certain)
    stats.coalesced = uncertain
    stats.chunk_interval.record_ns(at_ns, uncertain + certain)
    stats.chunk_interval.uncertain.record_ns(at_ns, uncertain)
    stats.chunk_interval.least.record_ns(least_ns, uncertain)
    stats.chunk_interval.most.record_ns(most_ns, uncertain)
    return stats


def coalesced_first(least_ns: int, most_ns: int, uncertain: int = 50, certain: int = 50) -> StreamStats:
    stats = streams(started=uncertain + certain, chunks=uncertain + certain)
    stats.time_to_first_chunk.record_ns(most_ns, uncertain + certain)
    stats.time_to_first_chunk.uncertain.record_ns(most_ns, uncertain)
    stats.time_to_first_chunk.least.record_ns(least_ns, uncertain)
    stats.time_to_first_chunk.most.record_ns(most_ns, uncertain)
    return stats
