"""The verdict on the load generator: whether a run's numbers can be trusted, and if not, why.

Trusted means that time to first chunk and chunk interval, p50, p90 and p99, are within 1 % or 0.1 ms of what a log of
the sends would say. Kernel stamps hold that for most of what can go wrong: a generator that reads late still has the
right moments. They do not for chunks that shared a read, for stamps that are missing or on the other side of a clock
step, and for a generator that could not run when it wanted to send a request. Where the effect of that on a figure is
known, the figure has a range, and only a range that matters makes the run degraded.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from streamgauge.stats.outcome import Outcome
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import Tolerance, uncertain_percentiles

Trust = Literal["trusted", "degraded", "invalid"]


#: How far off a figure of a trusted run may be.
TRUSTED = Tolerance(0.01, 0.0001)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the generator may do and still be trusted."""

    lag_degraded_s: float = 0.05
    """p99 of the generator lag. Arrivals stay true beyond it, but who reads this late also starts streams late."""
    lag_invalid_s: float = 1.0
    pause_degraded_s: float = 0.5
    """The event loop stood still: nothing was started, and nothing was read."""
    pause_invalid_s: float = 5.0
    stopped_pause_degraded_s: float = 0.1
    """The same, and the process neither used a CPU nor waited for one: it was stopped. Nothing shows which streams
    that delayed."""
    stopped_share_degraded: float = 0.03
    """Share of its time for which any process may be stopped, in pauses of more than a millisecond: one stopped process
    of ten spoils every p99."""
    waited_share_degraded: float = 0.2
    """Share of its time in which any process may wait for a CPU. What that does to a figure is known stream by stream,
    and opens its percentiles; a process with less than this left drives less load than it was asked for."""
    busy_cpu: float = 0.95
    """A process that uses this share of a core in a second has none left."""
    busy_share_degraded: float = 0.2
    """Share of its seconds in which any process may be busy: starting up is, measuring must not be."""
    fallback_share_degraded: float = 0.002
    """Reads timed by when they were read: with more of them, a p99 rests on generator lag."""
    open_degraded: Tolerance = TRUSTED
    """How far off a percentile may be that is not exactly known."""
    coalesced_share_degraded: float = 0.5
    """Chunks of one name that shared a read: with more of them, most times are estimates and none is an observation."""


DEFAULT_BOUNDS = Bounds()
#: The percentiles that a run answers for.
JUDGED = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def verdict(run_stats: RunStats, bounds: Bounds = DEFAULT_BOUNDS) -> tuple[Trust, list[str]]:
    """Whether the run can be trusted, and a sentence for each reason why not."""
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
        *_clock_reasons(run_stats, bounds),
        *_open_percentiles(run_stats, bounds),
        *_estimates(run_stats, bounds),
    ]
    if invalid:
        return "invalid", [*invalid, *(reason for reason in degraded if reason not in invalid)]
    if not any(stats.chunks for stats in run_stats.all_stats.values()):
        degraded.append("no chunk arrived: there are no times to be trusted")
    return ("degraded" if degraded else "trusted"), degraded


def _emptiness(run_stats: RunStats) -> Iterator[str]:
    """A run that measured nothing is no good run."""
    all_stats = run_stats.all_stats.values()
    if not any(stats.counted for stats in all_stats):
        yield "nothing was measured: no stream was counted"
    elif not any(stats.chunks or stats.finished > stats.outcomes[Outcome.CENSORED] for stats in all_stats):
        yield "nothing was measured: no stream delivered a chunk or ended before the run did"


def _lateness(run_stats: RunStats, lag_s: float, pause_s: float) -> Iterator[str]:
    lag_p99_s = run_stats.lag.quantile_s(0.99)
    if lag_p99_s is not None and lag_p99_s > lag_s:
        yield f"the generator read late: lag p99 {lag_p99_s * 1000:.0f} ms, expected at most {lag_s * 1000:g} ms"
    if run_stats.longest_pause_s > pause_s:
        yield f"the generator stood still for {run_stats.longest_pause_s:.2f} s, expected at most {pause_s:g} s"


def _stops(run_stats: RunStats, bounds: Bounds) -> Iterator[str]:
    if run_stats.longest_stopped_s > bounds.stopped_pause_degraded_s:
        yield (
            f"the generator was stopped for {run_stats.longest_stopped_s * 1000:.0f} ms without a break, "
            f"expected at most {bounds.stopped_pause_degraded_s * 1000:g} ms"
        )
    shares = [each.stopped_share for each in run_stats.processes.values()]
    if stopped := [share for share in shares if share > bounds.stopped_share_degraded]:
        yield (
            f"{_who(len(stopped), run_stats)} was stopped for {_up_to(stopped)}{max(stopped):.1%} of the time, "
            f"expected at most {bounds.stopped_share_degraded:.0%}"
        )


def _waits(run_stats: RunStats, bounds: Bounds) -> Iterator[str]:
    shares = [each.waited_share for each in run_stats.processes.values()]
    if waited := [share for share in shares if share > bounds.waited_share_degraded]:
        yield (
            f"{_who(len(waited), run_stats)} waited for a CPU for {_up_to(waited)}{max(waited):.1%} of the time, "
            f"expected at most {bounds.waited_share_degraded:.0%}: give it more CPU"
        )


def _overloads(run_stats: RunStats, bounds: Bounds) -> Iterator[str]:
    busy = [each for each in run_stats.processes.values() if each.busy_share > bounds.busy_share_degraded]
    if busy:
        worst = max(busy, key=lambda each: each.busy_share)
        yield (
            f"{_who(len(busy), run_stats)} used all of a core in {_up_to(busy)}{worst.busy_seconds} of {worst.seconds} "
            f"seconds: {_way_out(run_stats)}"
        )


def _way_out(run_stats: RunStats) -> str:
    """What helps a generator that has too much to do."""
    all_stats = run_stats.all_stats.values()
    refused = sum(stats.outcomes[each] for stats in all_stats for each in (Outcome.CONNECT_ERROR, Outcome.HTTP_ERROR))
    if refused > sum(stats.finished for stats in all_stats) / 2:
        if run_stats.refusal_pauses:
            return "most streams were refused: start fewer users, or give a longer --refusal-pause"
        return "most streams were refused, and users started the next one at once: give a --refusal-pause"
    return "spread the users over more worker processes"


def _who(count: int, run_stats: RunStats) -> str:
    """The process or processes that a reason is about."""
    if len(run_stats.processes) == 1:
        return "the generator"
    return f"{count} of {len(run_stats.processes)} generator processes"


def _up_to(several: Sequence[object]) -> str:
    return "up to " if len(several) > 1 else ""


def _clock_reasons(run_stats: RunStats, bounds: Bounds) -> Iterator[str]:
    if run_stats.clock_steps:
        times = "once" if run_stats.clock_steps == 1 else f"{run_stats.clock_steps} times"
        yield f"the wall clock stepped {times} during the run"
    if run_stats.fallbacks > bounds.fallback_share_degraded * run_stats.reads:
        share = run_stats.fallbacks / run_stats.reads
        yield f"{share:.1%} of reads had no usable kernel stamp: their arrival is the time of reading"


def _ms(value_s: float) -> str:
    """In ms, to three digits."""
    return f"{float(f'{value_s * 1000:.3g}'):,g}"


def _open_percentiles(run_stats: RunStats, bounds: Bounds) -> Iterator[str]:
    """One sentence for each metric, with its widest range: the tables mark every percentile that is open."""
    first_chunks, intervals = [], []
    for (name, protocol), stats in sorted(run_stats.all_stats.items()):
        who = f"{name} ({protocol})"
        found = uncertain_percentiles(stats.time_to_first_chunk, JUDGED, bounds.open_degraded)
        first_chunks += [_Open(who, percentile, *ends) for percentile, ends in found.items()]
        found = uncertain_percentiles(stats.chunk_interval, JUDGED, bounds.open_degraded)
        intervals += [_Open(who, percentile, *ends, share=_shared(stats)) for percentile, ends in found.items()]
    if first_chunks:
        cause = "first chunks shared a read, or the generator waited for a CPU before it sent the request"
        yield f"{_widest(first_chunks, 'time to first chunk')}: {cause}"
    if intervals:
        share = max(each.share for each in intervals)
        yield f"{_widest(intervals, 'chunk interval')}: {share:.1%} of chunks shared a read"


@dataclass(frozen=True, slots=True)
class _Open:
    """A percentile of one name that is not exactly known."""

    who: str
    percentile: str
    low_s: float
    high_s: float
    share: float = 0.0


def _widest(several: Sequence[_Open], metric: str) -> str:
    widest = max(several, key=lambda each: each.high_s / each.low_s if each.low_s else float("inf"))
    others = f", and {len(several) - 1} more percentiles to a narrower range" if len(several) > 2 else ""
    others = ", and one more to a narrower range" if len(several) == 2 else others
    return (
        f"{widest.who}: {metric} {widest.percentile} is only known to lie between {_ms(widest.low_s)} and "
        f"{_ms(widest.high_s)} ms{others}"
    )


def _shared(stats: StreamStats) -> float:
    """Share of chunks that shared a read."""
    return stats.coalesced / stats.chunks if stats.chunks else 0.0


def _estimates(run_stats: RunStats, bounds: Bounds) -> Iterator[str]:
    for (name, protocol), stats in sorted(run_stats.all_stats.items()):
        if (share := _shared(stats)) > bounds.coalesced_share_degraded:
            yield f"{name} ({protocol}): {share:.1%} of chunks shared a read: most of their times are estimates"
