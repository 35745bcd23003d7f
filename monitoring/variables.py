"""The template variables: which data source, targets, streams and runs a dashboard shows, and which objective."""

from collections.abc import Sequence

from grafanalib import core

from monitoring.config import ALL_VALUES, DATASOURCE_UID, GENERATOR_METRIC, OBJECTIVES, TARGET_METRIC
from monitoring.panels import DATASOURCE, Json
from monitoring.promql.text import family, label_values, narrowed
from streamgauge.catalog import TIME_TO_FIRST_CHUNK_BUCKETS

_REFRESH_ON_TIME_RANGE = 2
_LABEL_VALUES_QUERY = 1
_QUERY_RESULT_QUERY = 3
_HIDDEN = 2
OLDEST_FIRST, NEWEST_FIRST = 1, 2

#: A query result's text is ``{labels} value timestamp``.
_VALUE = r"/\} (\S+) \d+$/"

SERVERS = TARGET_METRIC
GENERATORS = GENERATOR_METRIC
BOTH_SIDES = f'{{__name__=~"{SERVERS}|{GENERATORS}"}}'

RUN_INFO = "stream_client_run_info"
STREAMS = "stream_server_started_total"
STREAMS_AND_REQUESTS = '{__name__=~"stream_server_started_total|http_server_request_duration_seconds_count"}'
SCENARIOS = "stream_client_started_total"


class Variable(core.Template):  # type: ignore[misc]  # grafanalib has no types
    """A choice that starts with all values, as Grafana's own editor writes it."""

    kind = _LABEL_VALUES_QUERY

    def to_json_data(self) -> Json:
        """Grafanalib's keys, the query in the data source's own form, and "All" by the value that Grafana knows."""
        written: Json = super().to_json_data()
        written["query"] = {"qryType": self.kind, "query": self.query, "refId": f"{self.name}-values"}
        if self.includeAll:
            return written | {"current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
        return written | {"current": {}}


class Worked(Variable):
    """A value that a query works out: nobody chooses it, so it is neither shown nor kept in links."""

    kind = _QUERY_RESULT_QUERY

    def to_json_data(self) -> Json:
        """As any variable, but not in the address. Until it is worked out it is 0, with which every query parses."""
        return super().to_json_data() | {"skipUrlSync": True, "current": {"text": "0", "value": "0"}}


def datasource() -> core.Template:
    """Which Prometheus."""
    variable = core.Template(name="datasource", label="Data source", type="datasource", query="prometheus", regex="")
    variable._current = {"selected": True, "text": "Prometheus", "value": DATASOURCE_UID}  # noqa: SLF001  # no argument sets it
    return variable


def choice(name: str, series: str, label: str = "") -> Variable:
    """The values that a label, of the variable's own name if not given, has on ``series``; several at a time."""
    return Variable(
        name=name,
        label=name.title(),
        query=label_values(series, label or name),
        dataSource=DATASOURCE,
        allValue=ALL_VALUES,
        includeAll=True,
        multi=True,
        refresh=_REFRESH_ON_TIME_RANGE,
        regex="",
    )


def pick(name: str, title: str, series: str, label: str, order: int) -> Variable:
    """One value that a label has on ``series``, at first the first in this order."""
    return Variable(
        name=name,
        label=title,
        query=label_values(series, label),
        dataSource=DATASOURCE,
        refresh=_REFRESH_ON_TIME_RANGE,
        regex="",
        sort=order,
    )


def worked_out(name: str, expression: str) -> Worked:
    """The one value of an expression, for other queries to use."""
    return Worked(
        name=name,
        label=name,
        query=f"query_result({expression})",
        dataSource=DATASOURCE,
        refresh=_REFRESH_ON_TIME_RANGE,
        regex=_VALUE,
        hide=_HIDDEN,
        sort=0,
    )


def objective(name: str, title: str, bounds: Sequence[float], start: float) -> core.Template:
    """A bucket's bound in seconds, as Prometheus writes it in ``le``."""
    options = [{"selected": bound == start, "text": f"{bound:g} s", "value": str(bound)} for bound in bounds]
    query = ", ".join(f"{option['text']} : {option['value']}" for option in options)
    return core.Template(name=name, label=title, type="custom", query=query, options=options)


def objectives() -> list[core.Template]:
    """The bounds that attainment is measured against; they start at the configured ones."""
    first, interval = OBJECTIVES["time_to_first_chunk"], OBJECTIVES["chunk_interval"]
    buckets = family("stream_server_chunk_interval_seconds", "histogram").buckets
    return [
        objective("ttfc_slo", "First chunk within", TIME_TO_FIRST_CHUNK_BUCKETS, first.bound_s),
        objective("interval_slo", "Chunk interval within", buckets, interval.bound_s),
    ]


def targets_of(series: str) -> list[core.Template]:
    """The data source, and which jobs and instances of those that expose ``series``; each narrows those after it."""
    return [datasource(), choice("job", series), choice("instance", narrowed(series, 'job=~"$job"'))]


def of_targets(series: str) -> str:
    """A selector of ``series`` on the chosen jobs and instances."""
    return narrowed(series, 'job=~"$job"', 'instance=~"$instance"')


def routes(series: str = STREAMS) -> Variable:
    """Which of the server's routes."""
    return choice("route", of_targets(series))


def names() -> Variable:
    """Which of the load test's names."""
    return choice("name", of_targets(SCENARIOS))


def runs() -> Variable:
    """Which runs: their annotations and verdicts. Of every load generator, whichever jobs are chosen."""
    return choice("run", RUN_INFO, "run_id")
