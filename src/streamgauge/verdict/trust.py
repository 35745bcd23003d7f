"""The verdict on the load generator: whether the numbers of a run can be trusted, and the reasons if not.

"Trusted" means that p50, p90 and p99 of the time to first chunk and of the chunk interval differ by at most 1 % or
0.1 ms from a log of the sends. Most faults do not endanger this, because the kernel stamps each arrival: a generator
that reads late still has the right times. Three faults do:

- chunks share a read with other data,
- kernel timestamps are missing, or a clock step lies between them,
- the generator cannot run when it should send a request.

If the effect of a fault on a figure is known, the figure gets a range. Only a range above the tolerance makes the run
degraded: neither the share of chunks that shared a read does, nor a process that is busy and still reads in time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.run_part import RunPart
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import Tolerance, uncertain_percentiles
from streamgauge.verdict.above_limit import above, percent_above
from streamgauge.verdict.late_arrivals import late_arrivals

Trust = Literal["trusted", "degraded", "invalid"]


#: The largest error that a figure of a trusted run may have.
TRUSTED = Tolerance(0.01, 0.0001)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The limits within which a generator is trusted."""

    lag_degraded_s: float = 0.05
    """p99 of the generator lag. Arrivals stay exact beyond it, but such a generator also starts streams late."""
    lag_invalid_s: float = 1.0
    pause_degraded_s: float = 0.5
    """The longest time for which the event loop did not run: it started no stream and read none."""
    pause_invalid_s: float = 5.0
    stopped_pause_degraded_s: float = 0.1
    """The longest time for which a process was stopped: it neither used a CPU nor waited for one. The delayed streams
    cannot be identified."""
    stopped_share_degraded: float = 0.03
    """Share of its time for which a process may be stopped; only pauses of more than a millisecond count. One stopped
    process of ten distorts every p99."""
    waited_share_degraded: float = 0.2
    """Share of its time for which a process may wait for a CPU. The effect on figures is known stream by stream, and
    percentiles show it as a range. A process that waits longer drives less load than planned."""
    busy_cpu: float = 0.95
    """A process that uses this share of a core in a second counts as busy in that second."""
    busy_share_degraded: float = 0.2
    """Share of its seconds in which a process that reads late may be busy: it may be while it starts, not while it
    measures."""
    busy_lag_s: float = 0.01
    """p99 of the generator lag up to which busy processes keep up: they wait for nothing but their own work, as with
    users that start one short stream after the other."""
    fallback_share_degraded: float = 0.002
    """Share of reads without a kernel timestamp. With more of them, a p99 depends on the generator lag."""
    open_degraded: Tolerance = TRUSTED
    """The largest error that a percentile with a range may have."""


DEFAULT_BOUNDS = Bounds()
#: The percentiles that the verdict is about.
JUDGED = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def verdict(run_stats: RunPart, bounds: Bounds = DEFAULT_BOUNDS) -> tuple[Trust, list[str]]:
    """Return whether the run can be trusted, and a sentence for each reason why not."""
    invalid = [
        *run_stats.failings,
        *_emptiness(run_stats),
        *_lateness(run_stats, bounds.lag_invalid_s, bounds.pause_invalid_s),
    ]
    degraded = [
        *run_stats.problems,
        *_lateness(run_stats, bounds.lag_degraded_s, bounds.pause_degraded_s),
        *_stops(run_stats, bounds),
        *_waits(run_stats, bounds),
        *_overloads(run_stats, bounds),
        *late_arrivals(run_stats),
        *_clock_reasons(run_stats, bounds),
        *_open_percentiles(run_stats, bounds),
    ]
    if invalid:
        return "invalid", [*invalid, *(reason for reason in degraded if reason not in invalid)]
    if not any(stats.chunks for stats in run_stats.all_stats.values()):
        degraded.append("no chunk arrived, so no time was measured")
    return ("degraded" if degraded else "trusted"), degraded


def _emptiness(run_stats: RunPart) -> Iterator[str]:
    """Yield a reason if the run measured nothing."""
    all_stats = run_stats.all_stats.values()
    if not any(stats.counted for stats in all_stats):
        yield "nothing was measured: no stream was counted"
    elif not any(stats.chunks or stats.finished > stats.outcomes[Outcome.CENSORED] for stats in all_stats):
        yield "nothing was measured: no stream delivered a chunk or ended before the run did"


def _lateness(run_stats: RunPart, lag_s: float, pause_s: float) -> Iterator[str]:
    lag_p99_s = run_stats.lag.quantile_s(0.99)
    if lag_p99_s is not None and lag_p99_s > lag_s:
        said = above(lag_p99_s * 1000, lag_s * 1000, 0)
        yield f"the generator read late: lag p99 {said} ms (limit {lag_s * 1000:g} ms)"
    if run_stats.longest_pause_s > pause_s:
        said = above(run_stats.longest_pause_s, pause_s, 2)
        yield f"the generator's event loop did not run for {said} s (limit {pause_s:g} s)"


def _stops(run_stats: RunPart, bounds: Bounds) -> Iterator[str]:
    if run_stats.longest_stopped_s > bounds.stopped_pause_degraded_s:
        said = above(run_stats.longest_stopped_s * 1000, bounds.stopped_pause_degraded_s * 1000, 0)
        yield (
            f"the generator was stopped for {said} ms without a break "
            f"(limit {bounds.stopped_pause_degraded_s * 1000:g} ms)"
        )
    shares = [each.stopped_share for each in run_stats.processes.values()]
    if stopped := [share for share in shares if share > bounds.stopped_share_degraded]:
        said = percent_above(max(stopped), bounds.stopped_share_degraded)
        yield (
            f"{_subject(len(stopped), run_stats)} was stopped for {_up_to(stopped)}{said} of the time "
            f"(limit {bounds.stopped_share_degraded:.0%})"
        )


def _waits(run_stats: RunPart, bounds: Bounds) -> Iterator[str]:
    shares = [each.waited_share for each in run_stats.processes.values()]
    if waited := [share for share in shares if share > bounds.waited_share_degraded]:
        said = percent_above(max(waited), bounds.waited_share_degraded)
        yield (
            f"{_subject(len(waited), run_stats)} waited for a CPU for {_up_to(waited)}{said} of the time "
            f"(limit {bounds.waited_share_degraded:.0%}); give the generator more CPU"
        )


def _overloads(run_stats: RunPart, bounds: Bounds) -> Iterator[str]:
    busy = [each for each in run_stats.processes.values() if each.busy_share > bounds.busy_share_degraded]
    if busy and not _keeps_up(run_stats, bounds):
        worst = max(busy, key=lambda each: each.busy_share)
        yield (
            f"{_subject(len(busy), run_stats)} used {bounds.busy_cpu:.0%} or more of a core in "
            f"{_up_to(busy)}{worst.busy_seconds} of "
            f"{worst.seconds} seconds; {_remedy(run_stats)}"
        )


def _keeps_up(run_stats: RunPart, bounds: Bounds) -> bool:
    """Whether busy processes read in time, and are not busy with refusals."""
    lag_p99_s = run_stats.lag.quantile_s(0.99)
    return lag_p99_s is not None and lag_p99_s <= bounds.busy_lag_s and not _mostly_refused(run_stats)


def _remedy(run_stats: RunPart) -> str:
    """Say what helps an overloaded generator."""
    if _mostly_refused(run_stats):
        if run_stats.refusal_pauses:
            return "most streams were refused, so start fewer users or raise --stream-refusal-pause"
        return "most streams were refused and users started the next one at once, so set --stream-refusal-pause"
    return "spread the users over more worker processes"


def _mostly_refused(run_stats: RunPart) -> bool:
    all_stats = run_stats.all_stats.values()
    refused = sum(stats.outcomes[each] for stats in all_stats for each in (Outcome.CONNECT_ERROR, Outcome.HTTP_ERROR))
    return refused > sum(stats.finished for stats in all_stats) / 2


def _subject(count: int, run_stats: RunPart) -> str:
    """Name the process or processes that a reason is about."""
    if len(run_stats.processes) == 1:
        return "the generator"
    return f"{count} of {len(run_stats.processes)} generator processes"


def _up_to(several: Sequence[object]) -> str:
    return "up to " if len(several) > 1 else ""


def _clock_reasons(run_stats: RunPart, bounds: Bounds) -> Iterator[str]:
    if run_stats.clock_steps:
        times = "once" if run_stats.clock_steps == 1 else f"{run_stats.clock_steps} times"
        yield f"the wall clock stepped {times} during the run"
    if run_stats.fallbacks > bounds.fallback_share_degraded * run_stats.reads:
        share = run_stats.fallbacks / run_stats.reads
        yield f"{share:.1%} of reads had no usable kernel timestamp, so the time of the read counts as their arrival"


def _ms(value_s: float, digits: int) -> str:
    """Format a time in ms, with this many digits."""
    return f"{float(f'{value_s * 1000:.{digits}g}'):,}".removesuffix(".0")


def _between_ms(low_s: float, high_s: float) -> str:
    """Format a range with as many digits as tell its ends apart, three at least."""
    for digits in range(3, 7):
        low, high = _ms(low_s, digits), _ms(high_s, digits)
        if low != high:
            break
    return f"between {low} and {high} ms"


def _judged(run_stats: RunPart) -> list[tuple[tuple[str, str], StreamStats]]:
    """Return the statistics whose times are judged: not those of streams that are read slowly on purpose.

    They find several chunks in one read because they read slowly. Tables mark the figures that are uncertain by that.
    """
    return sorted((key, stats) for key, stats in run_stats.all_stats.items() if not stats.slowed)


def _open_percentiles(run_stats: RunPart, bounds: Bounds) -> Iterator[str]:
    """Yield one sentence for each metric, with the widest range. The tables mark every uncertain percentile."""
    first_chunks: list[_Uncertain] = []
    intervals: list[_Uncertain] = []
    for (name, protocol), stats in _judged(run_stats):
        streams, shared = f"{name} ({protocol})", _shared(stats)
        for times, several in ((stats.time_to_first_chunk, first_chunks), (stats.chunk_interval, intervals)):
            found = uncertain_percentiles(times, JUDGED, bounds.open_degraded)
            several += [_Uncertain(streams, percentile, *ends, shared) for percentile, ends in found.items()]
    if first_chunks:
        widest, others = _widest(first_chunks)
        cause = "the generator waited for a CPU before it sent the request"
        cause = f"first chunks shared a read with other data, or {cause}" if widest.shared else cause
        yield f"{widest.said('time to first chunk')}{others}: {cause}"
    if intervals:
        widest, others = _widest(intervals)
        cause = f"{widest.shared:.1%} of its chunks shared a read with other data"
        yield f"{widest.said('chunk interval')}{others}: {cause}"


@dataclass(frozen=True, slots=True)
class _Uncertain:
    """A percentile of one name that is known as a range only."""

    streams: str
    percentile: str
    low_s: float
    high_s: float
    shared: float
    """Share of the name's chunks that shared a read."""

    def said(self, metric: str) -> str:
        return f"{self.streams}: {metric} {self.percentile} lies somewhere {_between_ms(self.low_s, self.high_s)}"


def _widest(several: Sequence[_Uncertain]) -> tuple[_Uncertain, str]:
    """Return the widest range, and how many others there are in words."""
    widest = max(several, key=lambda each: each.high_s / each.low_s if each.low_s else float("inf"))
    others = len(several) - 1
    return widest, f" ({others} more {'percentile is' if others == 1 else 'percentiles are'} uncertain)" * (others > 0)


def _shared(stats: StreamStats) -> float:
    """Return the share of chunks that shared a read with other data."""
    return stats.coalesced / stats.chunks if stats.chunks else 0.0
