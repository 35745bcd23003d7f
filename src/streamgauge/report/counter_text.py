"""What the counters of streams came to, as reports show them: in columns of tables, and in words."""

from collections import defaultdict
from collections.abc import Mapping

from streamgauge.report.sums import count_of
from streamgauge.report.units import number, share, size, some
from streamgauge.stats.quantities import Counter
from streamgauge.stats.stream_quantities import COUNTERS

#: The counters that have a column in the tables of streams.
COLUMNS = tuple(each for each in COUNTERS.values() if each.heading)


def counted(counter: Counter, streams: Mapping[str, object]) -> str:
    """The counter's value in a result's ``streams``, or in their totals."""
    value = count_of(counter, streams)
    if counter.share_of:
        return share(value)
    return size(value) if counter.unit == "bytes" else number(value)


def remarks(streams: Mapping[str, object]) -> list[str]:
    """What counters without a column came to, where they counted anything: ``sequence numbers: 3 lost, 1 repeated``."""
    topics: defaultdict[str, list[str]] = defaultdict(list)
    for each in COUNTERS.values():
        if each.remark and (value := count_of(each, streams)):
            topics[each.topic].append(each.remark.format(number=number(value), times=some(value, "time")))
    return [topic + ", ".join(said) for topic, said in topics.items()]
