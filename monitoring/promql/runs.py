"""What is asked of load test runs: their starts and ends, all runs in the time range, and one run laid over another."""

from dataclasses import dataclass

from monitoring.config import GENERATOR_METRIC, SCRAPE_INTERVAL_S
from monitoring.promql.panels import RATE_INTERVAL
from monitoring.promql.text import CatalogError, chosen, family, histogram_quantile, max_by, over, sum_by
from streamgauge.catalog import CATALOG, RUN_LABELS, Metric

RUN_INFO = family("stream_client_run_info", "gauge").name
RUN_START = family("stream_client_run_start_timestamp_seconds", "gauge").name
#: The runs that the variable selects, of every load generator: a server's dashboard selects no generator's job.
CHOSEN_RUNS = '{run_id=~"$run"}'
_RUN = ", ".join(RUN_LABELS)


def run_start() -> str:
    """Find when each run started, in milliseconds; kept for a window, so that a short run meets a step of the query."""
    return over("last_over_time", RUN_START + CHOSEN_RUNS, RATE_INTERVAL) + " * 1000"


def run_end() -> str:
    """Find when each run last had users, in milliseconds, once it has none any more."""
    running = f"{GENERATOR_METRIC} > 0"
    last = f"timestamp({running}) * on (job, instance) group_left ({_RUN}) {RUN_INFO}{CHOSEN_RUNS}"
    ended = over("max_over_time", f"({last})", f"{RATE_INTERVAL}:{SCRAPE_INTERVAL_S}s")
    return f"{ended} * 1000 unless on (job, instance) ({running})"


def of_each_run(name: str) -> str:
    """Take the last value of each chosen run's gauge in the time range."""
    metric = family(name, "gauge")
    return max_by(_RUN, over("last_over_time", metric.name + chosen(metric), "$__range"))


def length_of_each_run() -> str:
    """Compute how long each chosen run had users, in seconds, as far as it lies in the time range."""
    users, info = GENERATOR_METRIC + chosen(family(GENERATOR_METRIC, "gauge")), RUN_INFO + chosen(CATALOG[RUN_INFO])
    running = f"timestamp({users} > 0) * on (job, instance) group_left ({_RUN}) {info}"
    ended = max_by(_RUN, over("max_over_time", f"({running})", f"$__range:{SCRAPE_INTERVAL_S}s"))
    return f"{ended} - {of_each_run(RUN_START)}"


def start_difference(base: str, new: str) -> str:
    """Compute how many seconds later the new run started; 0 without two runs."""
    starts = (over("last_over_time", RUN_START + _of_run(RUN_START, run), "30d") for run in (new, base))
    return f"round({' - '.join(f'max({each})' for each in starts)}) or vector(0)"


@dataclass(frozen=True, slots=True)
class RunSeries:
    """The series of the run that a variable picks, moved in time by the seconds in the variable ``shift``.

    Only results carry a run's id, so each query joins the load generator's run information and ends where that does.
    """

    run: str
    shift: str = ""

    def rate(self, name: str, part: str = "") -> str:
        """Take the increase per second of a counter, or of a histogram's part."""
        metric = _client(name)
        rate = f"rate({metric.name}{part}{chosen(metric)}[{RATE_INTERVAL}]{self._offset})"
        return sum_by(metric, (), self._joined(rate), buckets=part == "_bucket")

    def quantile(self, q: float, name: str) -> str:
        """Estimate the q-quantile of a histogram's observations."""
        return histogram_quantile(q, self.rate(name, "_bucket"))

    def gauge_sum(self, name: str) -> str:
        """Sum a gauge over the processes."""
        metric = _client(name)
        return sum_by(metric, (), self._joined(f"{metric.name}{chosen(metric)}{self._offset}"))

    @property
    def _offset(self) -> str:
        return f" offset ${{{self.shift}}}s" if self.shift else ""

    def _joined(self, expression: str) -> str:
        return f"{expression} and on (job, instance) {RUN_INFO}{_of_run(RUN_INFO, self.run)}{self._offset}"


def _of_run(name: str, run: str) -> str:
    return chosen(CATALOG[name], f'run_id="${run}"', but="run_id")


def _client(name: str) -> Metric:
    metric = CATALOG.get(name)
    if metric is None or metric.side != "client":
        raise CatalogError(f"expected a metric of streamgauge.catalog's client side, got {name!r}")
    return metric
