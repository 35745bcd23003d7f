"""PromQL over a run's own time: the runs in the time shown, and one run laid on another."""

from dataclasses import dataclass

from monitoring.annotations import RUN_INFO, RUN_START
from monitoring.config import GENERATOR_METRIC, SCRAPE_INTERVAL_S
from monitoring.promql import CatalogError, family, selector, sum_by
from streamgauge.catalog import CATALOG, RUN_LABELS, Metric

_RUN = ", ".join(RUN_LABELS)
_TARGET = selector(family(GENERATOR_METRIC, "gauge"))


@dataclass(frozen=True, slots=True)
class Course:
    """The run that a variable picks, as a line over time, moved by what the variable ``shift`` says.

    No series but the results carries a run's id: the line ends where the load generator's run information does.
    """

    run: str
    shift: str = ""

    @property
    def _moved(self) -> str:
        return f" offset ${{{self.shift}}}s" if self.shift else ""

    def rate(self, name: str, part: str = "") -> str:
        """A counter's, or a histogram's part's, increase per second."""
        metric = _client(name)
        rate = f"rate({metric.name}{part}{selector(metric)}[$__rate_interval]{self._moved})"
        return sum_by(metric, (), self._own(rate), buckets=part == "_bucket")

    def quantile(self, q: float, name: str) -> str:
        """The q-quantile of a histogram's observations."""
        return f"histogram_quantile({q:g}, {self.rate(name, '_bucket')}) >= 0"

    def level(self, name: str) -> str:
        """A gauge, summed over the processes."""
        metric = _client(name)
        return sum_by(metric, (), self._own(f"{metric.name}{selector(metric)}{self._moved}"))

    def _own(self, expression: str) -> str:
        return f"{expression} and on (job, instance) {RUN_INFO}{_matchers(RUN_INFO, self.run)}{self._moved}"


def shift(base: str, new: str) -> str:
    """How many seconds later the new run started; 0 without two runs. A run's id is of that run alone, at any time."""
    started = (f"max(last_over_time({RUN_START}{_matchers(RUN_START, run)}[30d]))" for run in (new, base))
    return f"round({' - '.join(started)}) or vector(0)"


def _matchers(name: str, run: str) -> str:
    return selector(CATALOG[name], f'run_id="${run}"', but="run_id")


def _client(name: str) -> Metric:
    metric = CATALOG.get(name)
    if metric is None or metric.side != "client":
        raise CatalogError(f"expected a metric of streamgauge.catalog's client side, got {name!r}")
    return metric


def of_each_run(name: str) -> str:
    """The last value that each chosen run's gauge had in the time shown."""
    metric = family(name, "gauge")
    return f"max by ({_RUN}) (last_over_time({metric.name}{selector(metric)}[$__range]))"


def length_of_each_run() -> str:
    """How long each chosen run had users, in seconds, as far as the time shown holds it."""
    info = f"{RUN_INFO}{selector(CATALOG[RUN_INFO])}"
    under_way = f"timestamp({GENERATOR_METRIC}{_TARGET} > 0) * on (job, instance) group_left ({_RUN}) {info}"
    ended = f"max by ({_RUN}) (max_over_time(({under_way})[$__range:{SCRAPE_INTERVAL_S}s]))"
    return f"{ended} - {of_each_run(RUN_START)}"
