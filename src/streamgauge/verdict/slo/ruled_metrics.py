"""The metrics and statistics that an SLO rule can name, derived from the quantities, outcomes and rates of streams."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from streamgauge.stats.histogram import Histogram
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.quantities import Counter
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS
from streamgauge.stats.token_rates import AT_LEAST
from streamgauge.stats.uncertainty import QUANTILES, statistics


class Kind(StrEnum):
    """What a figure is a number of, which decides its units and how reports write it."""

    SECONDS = "seconds"
    RATIO = "ratio"
    """A share of one."""
    COUNT = "count"
    RATE = "per_second"
    PER_STREAM = "per_stream"
    BYTES = "bytes"
    BYTES_RATE = "bytes_per_second"
    BYTES_PER_STREAM = "bytes_per_stream"


#: The statistics of a counter, by their kind for plain numbers and for bytes.
_OF_NUMBERS = {"count": Kind.COUNT, "per_second": Kind.RATE, "per_stream": Kind.PER_STREAM}
_OF_BYTES = {"count": Kind.BYTES, "per_second": Kind.BYTES_RATE, "per_stream": Kind.BYTES_PER_STREAM}
_OF_TIMES = {**dict.fromkeys(statistics(Histogram(), QUANTILES), Kind.SECONDS), "count": Kind.COUNT}
_OF_OUTCOMES = {"ratio": Kind.RATIO, "count": Kind.COUNT, "per_second": Kind.RATE}
#: Sums over outcomes: streams that ended, and those among them that failed.
FINISHED, FAILED = "finished", "failed"
#: All tokens over the time of counting, and rates of single streams.
TOKENS_PER_SECOND, IN_ALL = "tokens_per_second", "in_all"


@dataclass(frozen=True, slots=True)
class RuledMetric:
    """A metric that a rule can name."""

    name: str
    """Its key in the ``streams`` of ``result.json``, or an outcome."""
    stats: dict[str, Kind]
    default: str = ""
    """The statistic of a rule that names none; empty if it has to name one."""


def _metrics() -> Iterator[RuledMetric]:
    for each in DISTRIBUTIONS.values():
        if not each.internal:
            yield RuledMetric(each.key, _OF_TIMES)
    for counter in COUNTERS.values():
        if not counter.internal:
            yield _counter(counter)
    yield RuledMetric(TOKENS_PER_SECOND, dict.fromkeys((IN_ALL, *AT_LEAST), Kind.RATE), IN_ALL)
    yield RuledMetric(FINISHED, {name: _OF_OUTCOMES[name] for name in ("count", "per_second")}, "count")
    for outcome in (FAILED, *map(str, Outcome)):
        yield RuledMetric(outcome, _OF_OUTCOMES, "count")


def _counter(counter: Counter) -> RuledMetric:
    if counter.share_of:
        return RuledMetric(counter.key, {"ratio": Kind.RATIO}, "ratio")
    return RuledMetric(counter.key, _OF_BYTES if counter.unit == "bytes" else _OF_NUMBERS, "count")


#: Every metric by its name.
METRICS = {each.name: each for each in _metrics()}
