"""Judges the arrivals of an open model: were they started, and on time?"""

from collections.abc import Iterator

from streamgauge.stats.run_part import RunPart
from streamgauge.verdict.above_limit import percent_above

#: Share of the arrivals that the generator may start more than 10 ms late although users were free: beyond it, p99
#: contains delays of the generator.
LATE_SHARE = 0.01
#: Share of the arrivals that may be dropped or wait for a free user. Those that are missing would have had the longest
#: times, so p99 is too low by more than the share suggests.
DROPPED_SHARE = 0.001
#: What a reason says of arrivals for which no user was free.
_NOT_FREE, _WAITED = "no user was free within a second", "of the arrivals waited for a free user"


def load_missed(run_part: RunPart) -> bool:
    """Whether so many arrivals were dropped that the load which was asked for did not reach the service."""
    return run_part.dropped_arrivals > DROPPED_SHARE * run_part.scheduled_arrivals


def late_arrivals(run_part: RunPart) -> Iterator[str]:
    """Tell the service, at whose pace users became free, from a generator that was late although users were free."""
    scheduled, capped = run_part.scheduled_arrivals, run_part.capped_starts
    if not scheduled:
        return
    own = run_part.late_starts - capped
    if own > LATE_SHARE * scheduled:
        said = percent_above(own / scheduled, LATE_SHARE)
        yield (
            f"the generator started {said} of the arrivals more than 10 ms late although users were free "
            f"(limit {LATE_SHARE:.0%}); give it more CPU, or more worker processes"
        )
    if load_missed(run_part):
        said = percent_above(run_part.dropped_arrivals / scheduled, DROPPED_SHARE)
        yield f"{said} of the arrivals were dropped (limit {DROPPED_SHARE:.1%}): {_why_dropped(run_part)}"
    elif capped > DROPPED_SHARE * scheduled:
        said = percent_above(capped / scheduled, DROPPED_SHARE)
        yield (
            f"{said} {_WAITED} (limit {DROPPED_SHARE:.1%}), since the "
            "service was slow at this rate; if it may have more streams under way, raise --users"
        )


def _why_dropped(run_part: RunPart) -> str:
    """Say why arrivals were dropped: their workers were gone, or their users were not free."""
    lost, others = run_part.lost_arrivals, run_part.dropped_arrivals - run_part.lost_arrivals
    gone = f"{lost} of them belonged to workers that left or died" if others else "their workers left or died"
    slow = f"{_NOT_FREE}, since the service was slow at this rate; if it may have more streams under way, raise --users"
    if not lost:
        return slow
    return f"{gone}; for the others {slow}" if others else gone


def waited_for_users(reason: str) -> bool:
    """Whether a reason of :func:`late_arrivals` says that no user was free: the service was slow at this rate."""
    return _NOT_FREE in reason or _WAITED in reason
