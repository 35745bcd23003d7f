"""Sums over the streams of a result: what failed, which share of what ended, and the totals of all names."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TypedDict

from streamgauge.report.result import NamedStreams, Result, Run
from streamgauge.stats.outcome import Outcome

FAILURES = frozenset(outcome.value for outcome in Outcome if outcome.failed)


class Totals(TypedDict):
    """All names together. Percentiles do not add up, and so there are none."""

    started: int
    outcomes: dict[str, int]
    chunks: int
    bytes: int
    stalls: int
    coalesced_share: float


def failures(outcomes: Mapping[str, int]) -> dict[str, int]:
    """The outcomes that are failures and occurred, the most frequent first."""
    found = {outcome: times for outcome, times in outcomes.items() if times and outcome in FAILURES}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def ordered(outcomes: Mapping[str, int]) -> dict[str, int]:
    """The outcomes that occurred, in the order in which Outcome lists them; others after, as they come."""
    known = [outcome.value for outcome in Outcome]
    rank = {name: known.index(name) if name in known else len(known) for name in outcomes}
    return {name: outcomes[name] for name in sorted(outcomes, key=rank.__getitem__) if outcomes[name]}


def failed(outcomes: Mapping[str, int]) -> int:
    """How many streams failed."""
    return sum(failures(outcomes).values())


def judged(outcomes: Mapping[str, int]) -> int:
    """How many streams succeeded or failed, which censored ones did not."""
    return sum(outcomes.values()) - outcomes.get(Outcome.CENSORED, 0)


def failure_ratio(outcomes: Mapping[str, int]) -> float | None:
    """Failed streams as a share of those that succeeded or failed; None without any."""
    ended = judged(outcomes)
    return failed(outcomes) / ended if ended else None


def totals(streams: Iterable[NamedStreams]) -> Totals:
    """Everything that adds up over ``streams``; the coalesced share is weighted by chunks."""
    outcomes: Counter[str] = Counter()
    found = Totals(started=0, outcomes=outcomes, chunks=0, bytes=0, stalls=0, coalesced_share=0.0)
    coalesced = 0.0
    for each in streams:
        outcomes.update(each["outcomes"])
        found["started"] += each["started"]
        found["chunks"] += each["chunks"]
        found["bytes"] += each["bytes"]
        found["stalls"] += each["stalls"]
        coalesced += each["coalesced_share"] * each["chunks"]
    if found["chunks"]:
        found["coalesced_share"] = coalesced / found["chunks"]
    return found


def per_second(count: int, result: Result) -> float | None:
    """``count`` over the time in which it was counted; None for a run without any."""
    over_s = counted_s(result["run"])
    return count / over_s if over_s > 0 else None


def counted_s(run: Run) -> float:
    """For how long was counted what the result of ``run`` holds."""
    return run.get("counted_s", run["duration_s"])
