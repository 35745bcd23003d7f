"""Runs of one load generator process that are quiet but for what is said of them."""

from streamgauge.measure.health import DEFAULT_BOUNDS
from streamgauge.measure.slice import Slice
from streamgauge.measure.tally import Tally
from streamgauge.measure.totals import RunTotals

MS = 1_000_000


def streams(started: int = 10, chunks: int = 100, **outcomes: int) -> Tally:
    tally = Tally()
    tally.started, tally.chunks = started, chunks
    tally.outcomes.update(outcomes or {"completed": started})
    return tally


def run(
    *, seconds: int = 10, lag_ns: int = 100_000, busy_seconds: int = 0, tally: Tally | None = None, **fields
) -> RunTotals:
    totals = RunTotals()
    tally = tally or streams()
    for t_s in range(seconds):
        part = Slice(t_s, active=1, **{"reads": 100, "cpu": float(t_s < busy_seconds), **fields})
        part.lag.record_ns(lag_ns, 100)
        if t_s == 0:
            part.tallies["a", "sse"] = tally
        totals.add("a", part, DEFAULT_BOUNDS.busy_cpu)
    return totals


def coalesced(least_ns: int, most_ns: int, uncertain: int = 50, certain: int = 50, at_ns: int = 10 * MS) -> Tally:
    tally = streams(chunks=uncertain + certain)
    tally.coalesced = uncertain
    tally.chunk_interval.record_ns(at_ns, uncertain + certain)
    tally.coalesced_interval.record_ns(at_ns, uncertain)
    tally.least_interval.record_ns(least_ns, uncertain)
    tally.most_interval.record_ns(most_ns, uncertain)
    return tally


def coalesced_first(least_ns: int, most_ns: int, uncertain: int = 50, certain: int = 50) -> Tally:
    tally = streams(started=uncertain + certain, chunks=uncertain + certain)
    tally.time_to_first_chunk.record_ns(most_ns, uncertain + certain)
    tally.uncertain_first_chunk.record_ns(most_ns, uncertain)
    tally.least_first_chunk.record_ns(least_ns, uncertain)
    return tally
