"""Sums over the streams of a result: failures, their share, and the totals of all names."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict, cast

from streamgauge.report.result import NamedStreams, Result, Run
from streamgauge.stats import quantities
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.stream_quantities import COUNTERS

FAILURES = frozenset(outcome.value for outcome in Outcome if outcome.failed)


class Totals(TypedDict):
    """All names together: every counter has its key here. There are no percentiles, because they cannot be added."""

    started: int
    outcomes: dict[str, int]
    chunks: int
    bytes: int


def failures(outcomes: Mapping[str, int]) -> dict[str, int]:
    """Return the failures among ``outcomes``, the most frequent first."""
    found = {outcome: times for outcome, times in outcomes.items() if times and outcome in FAILURES}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def ordered(outcomes: Mapping[str, int]) -> dict[str, int]:
    """Return the outcomes that occurred, in the order of Outcome; unknown ones last."""
    known = [outcome.value for outcome in Outcome]
    rank = {name: known.index(name) if name in known else len(known) for name in outcomes}
    return {name: outcomes[name] for name in sorted(outcomes, key=rank.__getitem__) if outcomes[name]}


def failed(outcomes: Mapping[str, int]) -> int:
    """Return the number of streams that failed."""
    return sum(failures(outcomes).values())


def judged(outcomes: Mapping[str, int]) -> int:
    """Return the number of streams that succeeded or failed; censored ones did neither."""
    return sum(outcomes.values()) - outcomes.get(Outcome.CENSORED, 0)


def failure_ratio(outcomes: Mapping[str, int]) -> float | None:
    """Return failed streams as a share of those that succeeded or failed; None if there are none."""
    ended = judged(outcomes)
    return failed(outcomes) / ended if ended else None


def count_of(counter: quantities.Counter, streams: Mapping[str, object]) -> Any:
    """Return ``counter`` in a result's ``streams`` or totals; 0 if an older version wrote the result."""
    return streams.get(counter.key, 0)


def totals(streams: Iterable[NamedStreams]) -> Totals:
    """Return the sums over ``streams``; a share is weighted by the counter that it is a share of."""
    every, outcomes = list(streams), Counter[str]()
    for each in every:
        outcomes.update(each["outcomes"])
    found: dict[str, Any] = {"outcomes": outcomes}
    for counter in COUNTERS.values():
        values = [count_of(counter, each) for each in every]
        if counter.share_of:
            weights = [count_of(COUNTERS[counter.share_of], each) for each in every]
            shared = sum(value * weight for value, weight in zip(values, weights, strict=True))
            found[counter.key] = shared / sum(weights) if sum(weights) else 0.0
        else:
            found[counter.key] = sum(values)
    return cast("Totals", found)


def whole_streams(result: Result) -> list[NamedStreams]:
    """Return the streams of the whole run, with those of a warm-up that the figures leave out."""
    whole = result.get("whole_run")
    return result["streams"] if whole is None else whole["streams"]


def per_second(count: int, result: Result) -> float | None:
    """Return ``count`` per second of counting; None for a run without duration."""
    over_s = counted_s(result["run"])
    return count / over_s if over_s > 0 else None


def counted_s(run: Run) -> float:
    """Return for how long ``run`` counted, in seconds."""
    return run.get("counted_s", run["duration_s"])
