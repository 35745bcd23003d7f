"""Writes the values of declared quantities for reports: in columns, in rows, and in words."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from streamgauge.report.result import Result
from streamgauge.report.summary import summary_of
from streamgauge.report.sums import count_of
from streamgauge.report.units import duration, number, share, size, some
from streamgauge.stats.generator_stats import GENERATOR_QUANTITIES
from streamgauge.stats.quantities import Counter
from streamgauge.stats.stream_quantities import COUNTERS

#: The counters with a column in the tables of streams, and in the terminal's table of whole streams.
COLUMNS = tuple(each for each in COUNTERS.values() if each.heading and not each.whole)
WHOLE_COLUMNS = tuple(each for each in COUNTERS.values() if each.heading and each.whole)
_WRITTEN: dict[str, Callable[[Any], str]] = {"": number, "bytes": size, "seconds": duration}


def counted(counter: Counter, streams: Mapping[str, object]) -> str:
    """Return the counter's value in a result's ``streams``, or in their totals."""
    value = count_of(counter, streams)
    if counter.share_of:
        return share(value)
    text: str = _WRITTEN[counter.unit](value)
    return text


def counted_in(result: Result, counters: Iterable[Counter]) -> tuple[Counter, ...]:
    """Return ``counters`` without the optional ones that no stream of ``result`` counted."""
    return tuple(
        each for each in counters if not each.optional or any(count_of(each, streams) for streams in result["streams"])
    )


def generator_rows(generator: Mapping[str, object]) -> list[tuple[str, str, str]]:
    """Return the load generator's own quantities: for each a term, a value, and a sentence that explains it."""
    rows = []
    for each in GENERATOR_QUANTITIES:
        if each.heading and each.key in generator:
            term = each.heading.capitalize()
            if isinstance(each, Counter):
                rows.append((term, counted(each, generator), each.help))
            elif found := summary_of(each, generator):
                rows.append((f"{term} p99", duration(found["p99"]), each.help))
    return rows


def remarks(streams: Mapping[str, object]) -> list[str]:
    """Return the counters without a column that counted anything: ``sequence numbers: 3 lost, 1 repeated``."""
    topics: defaultdict[str, list[str]] = defaultdict(list)
    for each in COUNTERS.values():
        if each.remark and (value := count_of(each, streams)):
            topics[each.topic].append(each.remark.format(number=number(value), times=some(value, "time")))
    return [topic + ", ".join(said) for topic, said in topics.items()]
