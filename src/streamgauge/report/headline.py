"""Makes the tiles at the top of a report: two percentiles, the chunk rate, and failures.

Percentiles of several names cannot be combined: they would depend on the mix of the names. A tile shows that of the
slowest name, and those of the others below it.
"""

from typing import TypedDict

from streamgauge.report import sums, units
from streamgauge.report.enough_text import mark
from streamgauge.report.lines import Lines
from streamgauge.report.result import MetricSummary, NamedStreams, Result

#: A tile lists at most this many names; the table has all of them.
_MOST_ROWS = 6


class Figure(TypedDict):
    """One figure and the name that it belongs to."""

    name: str
    value: str
    range: str
    """The range in which the figure lies, if it is not exactly known."""


class Tile(TypedDict):
    """One key figure of the run."""

    title: str
    figure: Figure
    note: str
    """One line that explains the figure."""
    bad: bool
    by_name: list[Figure]
    more: int
    """Number of names that are not listed."""


def tiles(result: Result) -> list[Tile]:
    """Return the key figures in the order of the page."""
    labels = Lines(result).label
    named = [(labels((each["name"], each["protocol"])), each) for each in result["streams"]]
    return [
        _percentile("TTFC p99", named, "time_to_first_chunk", "stream"),
        _percentile("Interval p99", named, "chunk_interval", "interval"),
        _chunk_rate(named, result),
        _failed(named),
    ]


def _percentile(title: str, named: list[tuple[str, NamedStreams]], metric: str, noun: str) -> Tile:
    found: list[tuple[str, MetricSummary]] = [(label, each[metric]) for label, each in named]  # type: ignore[literal-required]
    measured = sorted(
        ((label, each) for label, each in found if each["p99"] is not None), key=lambda item: -(item[1]["p99"] or 0)
    )
    if not measured:
        return _tile(title, _figure("", units.NONE), f"No {noun} was measured.", [])
    _, summary = measured[0]
    figures = [_p99(label, each) for label, each in measured]
    if len(measured) == 1:
        note = f"99 % of {units.some(summary['count'], noun)} took at most this long."
        return _tile(title, _p99("", summary), note, [])
    note = f"The slowest of {len(measured)} names; percentiles of different names cannot be combined."
    return _tile(title, figures[0], note, figures[1:])


def _p99(label: str, summary: MetricSummary) -> Figure:
    between = summary["uncertain"].get("p99")
    return Figure(
        name=label,
        value=mark(summary, "p99") + units.estimate(summary["p99"], between),
        range=units.interval(*between) if between else "",
    )


def _chunk_rate(named: list[tuple[str, NamedStreams]], result: Result) -> Tile:
    chunks = sum(each["chunks"] for _, each in named)
    over = units.duration(sums.counted_s(result["run"]))
    span = "after the warm-up" if "whole_run" in result else "of the whole run"
    by_name = [
        _figure(label, units.rate(sums.per_second(each["chunks"], result)))
        for label, each in sorted(named, key=lambda item: -item[1]["chunks"])
    ]
    return _tile(
        "Chunks/s",
        _figure("", units.rate(sums.per_second(chunks, result))),
        f"{units.some(chunks, 'chunk')} in {over}: the mean {span}.",
        by_name if len(named) > 1 else [],
    )


def _failed(named: list[tuple[str, NamedStreams]]) -> Tile:
    outcomes = sums.totals(each for _, each in named)["outcomes"]
    failed, judged = sums.failed(outcomes), sums.judged(outcomes)
    by_name = [(label, each["outcomes"], sums.failed(each["outcomes"])) for label, each in named]
    worst_first = sorted((each for each in by_name if each[2]), key=lambda each: -each[2])
    figures = [
        _figure(label, f"{units.number(times)} ({units.share(sums.failure_ratio(own))})")
        for label, own, times in worst_first
    ]
    share = units.share(sums.failure_ratio(outcomes))
    tile = _tile(
        "Failed",
        _figure("", f"{units.number(failed)} ({share})" if judged else units.number(failed)),
        f"Of {units.some(judged, 'stream')} that succeeded or failed." if judged else "No stream succeeded or failed.",
        figures if len(named) > 1 else [],
    )
    return {**tile, "bad": failed > 0}


def _figure(name: str, value: str) -> Figure:
    return Figure(name=name, value=value, range="")


def _tile(title: str, figure: Figure, note: str, by_name: list[Figure]) -> Tile:
    shown = by_name[:_MOST_ROWS]
    return Tile(title=title, figure=figure, note=note, bad=False, by_name=shown, more=len(by_name) - len(shown))
