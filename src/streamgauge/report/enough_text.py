"""Says which percentiles rest on too few values, and how many more they need. ``stats/enough.py`` has the rule."""

from collections.abc import Mapping, Sequence

from streamgauge.report.lines import name_of
from streamgauge.report.result import Result
from streamgauge.report.summary import summary_of
from streamgauge.report.sums import counted_s
from streamgauge.report.units import duration, number, some
from streamgauge.stats.enough import BEYOND
from streamgauge.stats.stream_quantities import DISTRIBUTIONS

#: The mark before a percentile that rests on too few values.
SCARCE = "°"
SCARCE_MEANS = (
    f"{SCARCE} marks a percentile with fewer than {BEYOND} values beyond it: another run may well give another one."
)
#: What the values of a distribution are, if they are not one for each stream.
_VALUES = {"chunk_interval": "interval", "chunk_delay": "chunk"}


def mark(summary: Mapping[str, object], percentile: str) -> str:
    """Return the mark of a percentile of ``summary``; empty if it rests on enough values, or in older results."""
    found = summary.get("samples_needed") or {}
    assert isinstance(found, Mapping)
    return SCARCE if percentile in found else ""


def scarce_notes(result: Result, percentiles: Sequence[str]) -> list[str]:
    """Return which of ``percentiles`` rest on too few values, one note for those of a name that rest on as many."""
    notes: dict[tuple[str, int, int, str], list[str]] = {}
    for each in result["streams"]:
        for metric in DISTRIBUTIONS.values():
            if not (metric.tabled and (found := summary_of(metric, each)) and found["count"]):
                continue
            percentile = next((one for one in reversed(percentiles) if mark(found, one)), "")
            if percentile:
                values = some(found["count"], _VALUES.get(metric.key, "stream"))
                key = (name_of(each, result), found["count"], found["samples_needed"][percentile], values)
                notes.setdefault(key, []).append(f"{metric.heading or metric.title.lower()} {percentile}")
    return [f"{key[0]}, {_note(titles, *key[1:], result)}" for key, titles in notes.items()]


def _note(titles: Sequence[str], count: int, more: int, values: str, result: Result) -> str:
    """Say how many more values percentiles need, and how long that takes at the run's rate."""
    over_s = counted_s(result["run"])
    *first, last = titles
    rest = f"{', '.join(first)} and {last} rest" if first else f"{last} rests"
    longer = f", about {duration(max(1.0, more / count * over_s))} more of this load" if over_s > 0 else ""
    return f"{rest} on {values}; it takes {number(more)} more{longer}"
