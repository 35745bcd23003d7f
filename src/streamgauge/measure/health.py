"""The verdict on the load generator: whether a run's numbers can be trusted, and if not, why."""

from dataclasses import dataclass
from typing import Literal

from streamgauge.measure.tally import Tally
from streamgauge.measure.totals import RunTotals

Trust = Literal["trusted", "degraded", "invalid"]
Range = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the generator may do and still be trusted."""

    lag_degraded_s: float = 0.1
    """p99 of the generator lag. Arrivals stay true beyond it, but who reads this late also starts streams late."""
    lag_invalid_s: float = 1.0
    pause_degraded_s: float = 0.5
    """The event loop stood still: nothing was started, and nothing was read."""
    pause_invalid_s: float = 5.0
    busy_cpu: float = 0.95
    """A process that uses this share of a core in a second has none left."""
    busy_share_degraded: float = 0.2
    """Share of all seconds in which a process may be busy: starting up is, measuring must not be."""
    fallback_share_degraded: float = 0.01
    """Reads timed by when they were read: with more of them, a p99 rests on generator lag."""
    percentile_error: float = 0.02
    """A percentile that coalesced reads leave open by more than this share of itself is not determined …"""
    percentile_error_s: float = 0.0002
    """… nor by more than this, where it is short."""


DEFAULT_BOUNDS = Bounds()
#: The percentiles that a run answers for.
JUDGED = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


def uncertain_percentiles(
    tally: Tally, quantiles: dict[str, float], bounds: Bounds = DEFAULT_BOUNDS
) -> dict[str, Range]:
    """The percentiles of the chunk interval that coalesced reads leave undetermined, with their range in seconds."""
    if not tally.coalesced_interval.count:
        return {}
    least, most = (bound.quantiles_s(quantiles.values()) for bound in tally.bounds())
    return {
        name: (low, high)
        for name, low, high in zip(quantiles, least, most, strict=True)
        if low is not None
        and high is not None
        and high - low > max(bounds.percentile_error * high, bounds.percentile_error_s)
    }


def verdict(totals: RunTotals, bounds: Bounds = DEFAULT_BOUNDS) -> tuple[Trust, list[str]]:
    """Whether the run can be trusted, and a sentence for each reason why not."""
    invalid = _reasons(totals, bounds.lag_invalid_s, bounds.pause_invalid_s)
    degraded = [
        *totals.problems,
        *_reasons(totals, bounds.lag_degraded_s, bounds.pause_degraded_s),
        *_clock_reasons(totals, bounds),
        *_coalescing_reasons(totals, bounds),
    ]
    if totals.busy_seconds > bounds.busy_share_degraded * totals.process_seconds:
        degraded.append(
            f"the generator used all of its core in {totals.busy_seconds} of {totals.process_seconds} process-seconds: "
            "spread the users over more worker processes"
        )
    if invalid:
        return "invalid", [*invalid, *(reason for reason in degraded if reason not in invalid)]
    return ("degraded" if degraded else "trusted"), degraded


def _reasons(totals: RunTotals, lag_s: float, pause_s: float) -> list[str]:
    found = []
    lag_p99_s = totals.lag.quantile_s(0.99)
    if lag_p99_s is not None and lag_p99_s > lag_s:
        found.append(
            f"the generator read late: lag p99 {lag_p99_s * 1000:.0f} ms, expected at most {lag_s * 1000:g} ms"
        )
    if totals.longest_pause_s > pause_s:
        found.append(f"the generator stood still for {totals.longest_pause_s:.1f} s, expected at most {pause_s:g} s")
    return found


def _clock_reasons(totals: RunTotals, bounds: Bounds) -> list[str]:
    found = []
    if totals.clock_steps:
        found.append(f"the wall clock stepped {totals.clock_steps} times during the run")
    if totals.fallbacks > bounds.fallback_share_degraded * totals.reads:
        share = totals.fallbacks / totals.reads
        found.append(f"{share:.0%} of reads had no usable kernel stamp: their arrival is the time of reading")
    return found


def _coalescing_reasons(totals: RunTotals, bounds: Bounds) -> list[str]:
    return [
        f"{name} ({protocol}): chunk interval {percentile} is only known to lie between {low * 1000:.3g} and "
        f"{high * 1000:.3g} ms, since {tally.coalesced / tally.chunks:.1%} of chunks shared a read"
        for (name, protocol), tally in sorted(totals.tallies.items())
        for percentile, (low, high) in uncertain_percentiles(tally, JUDGED, bounds).items()
    ]
