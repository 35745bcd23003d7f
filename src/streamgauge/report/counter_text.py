"""What the counters of streams came to, as reports show them: in columns of tables, and in words."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from streamgauge.report.units import number, share, size, some
from streamgauge.stats.quantities import Counter
from streamgauge.stats.stream_stats import COUNTERS

#: The counters that have a column in the tables of streams.
COLUMNS = tuple(each for each in COUNTERS.values() if each.heading)


def counted(counter: Counter, streams: Mapping[str, Any]) -> str:
    """The counter's value in a result's ``streams``, or in their totals. Older results may lack it."""
    value = streams.get(counter.key, 0)
    if counter.share_of:
        return share(value)
    return size(value) if counter.unit == "bytes" else number(value)


def remarks(streams: Mapping[str, Any]) -> list[str]:
    """What counters without a column came to, where they counted anything: ``sequence numbers: 3 lost, 1 repeated``."""
    topics: defaultdict[str, list[str]] = defaultdict(list)
    for each in COUNTERS.values():
        if each.remark and (value := streams.get(each.key, 0)):
            topics[each.topic].append(each.remark.format(number=number(value), times=some(value, "time")))
    return [topic + ", ".join(said) for topic, said in topics.items()]
