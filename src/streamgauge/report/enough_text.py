"""Says which percentiles rest on too few values, and how many more they need. ``stats/enough.py`` has the rule."""

from collections.abc import Mapping, Sequence

from streamgauge.report.result import MetricSummary, Result
from streamgauge.report.summary import summary_of
from streamgauge.report.sums import counted_s
from streamgauge.report.units import duration, number, some
from streamgauge.stats.enough import BEYOND
from streamgauge.stats.quantities import Distribution
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
    """Return a note for each distribution in the tables of which one of ``percentiles`` rests on too few values."""
    return [
        f"{each['name']}, {_note(metric, found, percentile, result)}"
        for each in result["streams"]
        for metric in DISTRIBUTIONS.values()
        if metric.tabled
        and (found := summary_of(metric, each))
        and found["count"]
        and (percentile := next((one for one in reversed(percentiles) if mark(found, one)), ""))
    ]


def _note(metric: Distribution, summary: MetricSummary, percentile: str, result: Result) -> str:
    """Say how many more values the percentile needs, and how long that takes at the run's rate."""
    more, over_s = summary["samples_needed"][percentile], counted_s(result["run"])
    title = metric.heading or metric.title.lower()
    rests = f"{title} {percentile} rests on {some(summary['count'], _VALUES.get(metric.key, 'stream'))}"
    longer = f", about {duration(max(1.0, more / summary['count'] * over_s))} more of this load" if over_s > 0 else ""
    return f"{rests}; it takes {number(more)} more{longer}"
