"""PromQL over a run's own time, for runs that follow each other: by each run's window, or the older laid on the newer.

No series carries a run's id but those of the run-info family. So hidden variables work out, from the run that was
picked, when it started and when it was last seen; a query then reads the counters at both moments, of the load
generator that made it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafanalib import core

from monitoring.annotations import RUN_INFO, RUN_START
from monitoring.config import GENERATOR_METRIC, SCRAPE_INTERVAL_S
from monitoring.promql import CLIENT_COUNTED, CLIENT_FAILED, CatalogError, family, part_of, selector, sum_by
from monitoring.variables import worked_out
from streamgauge.catalog import CATALOG, RUN_LABELS, Metric

_RUN = ", ".join(RUN_LABELS)
#: The exporter's process, by the name that Prometheus's own libraries have for it.
PROCESS_START = "process_start_time_seconds"
_TARGET = selector(family(GENERATOR_METRIC, "gauge"))


@dataclass(frozen=True, slots=True)
class Run:
    """One of the two runs, by the name of the variable that picks it."""

    variable: str

    @property
    def matchers(self) -> str:
        """What selects its run-info series."""
        return selector(CATALOG[RUN_INFO], f'run_id="${self.variable}"', chosen=False)

    def growth(self, name: str, by: Sequence[str] = (), *matchers: str, part: str = "") -> str:
        """What a counter, or a ``part`` of a histogram, grew by in the run. Buckets are kept apart.

        The load generator's counters go on from run to run, and its series are gone between them. So this is the last
        value less the last one before the run, or less nothing where its process had none yet: what another process
        counted is no concern of it. ``increase`` would lose what was counted before the first scrape, which in a short
        run is much.
        """
        metric = _client(name)
        series = f"{metric.name}{part}{selector(metric, *matchers)}"
        start, end, lived = (f"${{{self.variable}_{each}}}" for each in ("start", "end", "lived"))
        before = f"last_over_time({series}[{lived}ms] @ {start})"
        grown = f"{series} @ {end} - ({before} or 0 * {series} @ {end})"
        present = f"{RUN_INFO}{self.matchers} @ {end}"
        return sum_by(metric, by, f"{grown} and on (job, instance) {present}", buckets=part == "_bucket")

    def quantile(self, q: float, name: str, by: Sequence[str] = ()) -> str:
        """The q-quantile of all of the run's observations."""
        return f"histogram_quantile({q:g}, {self.growth(name, by, part='_bucket')}) >= 0"

    def mean(self, name: str) -> str:
        """The mean of all of the run's observations of a histogram."""
        return f"{self.growth(name, part='_sum')} / ({self.growth(name, part='_count')} > 0)"

    def per_second(self, name: str, by: Sequence[str] = ()) -> str:
        """A counter's mean rate over the run."""
        return f"{self.growth(name, by)} / ${{{self.variable}_s}}"

    def ratio(self, part: str, whole: str, by: Sequence[str] = ()) -> str:
        """One counter's growth for each of another's."""
        return part_of(self.growth(part, by), self.growth(whole, by))

    def failed(self, by: Sequence[str] = ()) -> str:
        """The share of the run's streams that failed, those left out that the end of the run cut off."""
        name = "stream_client_finished_total"
        return part_of(self.growth(name, by, CLIENT_FAILED), self.growth(name, by, CLIENT_COUNTED))


@dataclass(frozen=True, slots=True)
class Course:
    """A run as a line over time, moved by the seconds that the variable ``shift`` says, if any."""

    run: Run
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
        return f"{expression} and on (job, instance) {RUN_INFO}{self.run.matchers}{self._moved}"


def started_at(run: Run) -> str:
    """When the run started, Unix time."""
    return f"max(last_over_time({RUN_START}{run.matchers}[$__range]))"


def ended_at(run: Run) -> str:
    """When the run last had users, Unix time."""
    under_way = f"{GENERATOR_METRIC}{_TARGET} > 0 and on (job, instance) {RUN_INFO}{run.matchers}"
    return f"max(max_over_time(timestamp({under_way})[$__range:{SCRAPE_INTERVAL_S}s]))"


def seen_at(run: Run) -> str:
    """When the run was last scraped, Unix time: its counters are whole by then."""
    return f"max(max_over_time(timestamp({RUN_INFO}{run.matchers})[$__range:{SCRAPE_INTERVAL_S}s]))"


def process_started_at(run: Run) -> str:
    """When the load generator's process started that made the run, Unix time."""
    made_it = f"{PROCESS_START}{_TARGET} and on (job, instance) {RUN_INFO}{run.matchers}"
    return f"max(max_over_time(({made_it})[$__range:{SCRAPE_INTERVAL_S}s]))"


def window_variables(base: Run, new: Run) -> list[core.Template]:
    """The hidden variables of both runs: start, last sight, length; the milliseconds that the process had lived
    when the run started; and how much later the newer one started.

    Without such a run they are values with which every query still parses, and answers nothing.
    """
    made = []
    for run in (base, new):
        start, end = f"floor({started_at(run)})", f"ceil({seen_at(run)})"
        lived_ms = f"1000 * ({start} - {process_started_at(run)})"
        under_way = f"clamp_min({ended_at(run)} - {started_at(run)}, 1)"
        made += [
            worked_out(f"{run.variable}_start", f"{start} or vector(0)"),
            worked_out(f"{run.variable}_end", f"{end} or vector(0)"),
            worked_out(f"{run.variable}_lived", f"clamp_min(floor({lived_ms}), 1) or vector(1)"),
            worked_out(f"{run.variable}_s", f"{under_way} or vector(1)"),
        ]
    shift = f"round({started_at(new)} - {started_at(base)}) or vector(0)"
    return [*made, worked_out("shift", shift)]


def change(new: str, base: str) -> str:
    """How much larger the new value is, as a share of the base's."""
    return f"({new}) / (({base}) > 0) - 1"


def named(rows: Mapping[str, str], label: str) -> str:
    """Several single values as one answer, told apart by a label that holds their names."""
    return " or ".join(f'label_replace({expression}, "{label}", "{name}", "", "")' for name, expression in rows.items())


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
