"""Makes the terminal's table of whole streams: how long they lasted, and the tokens of language models."""

from collections.abc import Mapping

from streamgauge.report import sums
from streamgauge.report.columns import Column, Table
from streamgauge.report.counter_text import WHOLE_COLUMNS, counted, counted_in
from streamgauge.report.lines import name_of
from streamgauge.report.result import Result
from streamgauge.report.streams_table import PERCENTILES, percentiles
from streamgauge.report.summary import summary_of
from streamgauge.report.terminal import printable, styled
from streamgauge.report.units import rate
from streamgauge.stats.quantities import Counter, Distribution
from streamgauge.stats.stream_quantities import DISTRIBUTIONS

_TIMES = tuple(each for each in DISTRIBUTIONS.values() if each.heading and each.whole)
#: If the terminal is too narrow, the columns of the lowest rank are dropped first: counters, rates, then percentiles.
_RATE_RANK, _TIMES_RANK = 100, 101


def whole_table(result: Result) -> Table | None:
    """Make the table with a row for each name; None if no stream has ended. Columns that no name has are left out."""
    times = [each for each in _TIMES if any(_counted(each, streams) for streams in result["streams"])]
    counters = counted_in(result, WHOLE_COLUMNS)
    if not times and not counters:
        return None
    table = Table(
        "whole streams", [*_of_times(times), *(each for counter in counters for each in _of_counter(counter))]
    )
    for streams in result["streams"]:
        cells = [cell for each in times for cell in percentiles(summary_of(each, streams))]
        table.add(printable(name_of(streams, result)), [*cells, *map(styled, _numbers(counters, streams, result))])
    if counters and len(result["streams"]) > 1:
        table.add_space()
        empty = [styled("") for _ in times for _ in PERCENTILES]
        table.add("all", [*empty, *map(styled, _numbers(counters, sums.totals(result["streams"]), result))])
    return table


def _counted(distribution: Distribution, streams: Mapping[str, object]) -> bool:
    found = summary_of(distribution, streams)
    return found is not None and found["count"] > 0


def _of_times(times: list[Distribution]) -> list[Column]:
    return [
        Column(f"{each.heading}\n{percentile}", _TIMES_RANK + of * len(times) - at)
        for at, each in enumerate(times)
        for of, percentile in enumerate(PERCENTILES, 1)
    ]


def _of_counter(counter: Counter) -> list[Column]:
    heading = counter.heading.replace(" ", "\n")
    first = Column(heading, counter.rank)
    return [first, Column("\n".join((heading.rpartition("\n")[2], "per s")), _RATE_RANK)] if counter.rated else [first]


def _numbers(counters: tuple[Counter, ...], found: Mapping[str, object], result: Result) -> list[str]:
    """Return each counter, and its rate if it has one."""
    written: list[str] = []
    for each in counters:
        written.append(counted(each, found))
        if each.rated:
            written.append(rate(sums.per_second(sums.count_of(each, found), result)))
    return written
