"""The variables: which data source, targets, streams, runs and objectives a dashboard shows."""

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
    """A choice whose default is all values, as written by Grafana's editor."""

    kind = _LABEL_VALUES_QUERY

    def to_json_data(self) -> Json:
        """Write the query in the data source's form, and "All" by the value that Grafana knows."""
        written: Json = super().to_json_data()
        written["query"] = {"qryType": self.kind, "query": self.query, "refId": f"{self.name}-values"}
        if self.includeAll:
            return written | {"current": {"selected": True, "text": ["All"], "value": ["$__all"]}}
        return written | {"current": {}}


class Computed(Variable):
    """A value that a query computes. It is neither shown nor kept in links."""

    kind = _QUERY_RESULT_QUERY

    def to_json_data(self) -> Json:
        """Leave the variable out of the address. Its initial value is 0, with which every query parses."""
        return super().to_json_data() | {"skipUrlSync": True, "current": {"text": "0", "value": "0"}}


def datasource() -> core.Template:
    """Make the choice of the Prometheus."""
    variable = core.Template(name="datasource", label="Data source", type="datasource", query="prometheus", regex="")
    variable._current = {"selected": True, "text": "Prometheus", "value": DATASOURCE_UID}  # noqa: SLF001  # no argument sets it
    return variable


def choice(name: str, series: str, label: str = "") -> Variable:
    """Make a multiple choice of a label's values on ``series``; the label defaults to the variable's name."""
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
    """Make a choice of one of a label's values on ``series``; the default is the first in this order."""
    return Variable(
        name=name,
        label=title,
        query=label_values(series, label),
        dataSource=DATASOURCE,
        refresh=_REFRESH_ON_TIME_RANGE,
        regex="",
        sort=order,
    )


def computed(name: str, expression: str) -> Computed:
    """Compute the value of an expression for use in other queries."""
    return Computed(
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
    """Make a choice of a bucket's bound in seconds, as Prometheus writes it in ``le``."""
    options = [{"selected": bound == start, "text": f"{bound:g} s", "value": str(bound)} for bound in bounds]
    query = ", ".join(f"{option['text']} : {option['value']}" for option in options)
    return core.Template(name=name, label=title, type="custom", query=query, options=options)


def objectives() -> list[core.Template]:
    """Make the choices of the time limits of objectives; the configured ones are the defaults."""
    first, interval = OBJECTIVES["time_to_first_chunk"], OBJECTIVES["chunk_interval"]
    buckets = family("stream_server_chunk_interval_seconds", "histogram").buckets
    return [
        objective("ttfc_slo", "First chunk within", TIME_TO_FIRST_CHUNK_BUCKETS, first.bound_s),
        objective("interval_slo", "Chunk interval within", buckets, interval.bound_s),
    ]


def targets_of(series: str) -> list[core.Template]:
    """Make the choices of data source, job and instance that expose ``series``; each narrows the next."""
    return [datasource(), choice("job", series), choice("instance", narrowed(series, 'job=~"$job"'))]


def of_targets(series: str) -> str:
    """Select ``series`` of the chosen jobs and instances."""
    return narrowed(series, 'job=~"$job"', 'instance=~"$instance"')


def routes(series: str = STREAMS) -> Variable:
    """Make the choice of the server's routes."""
    return choice("route", of_targets(series))


def names() -> Variable:
    """Make the choice of the load test's names."""
    return choice("name", of_targets(SCENARIOS))


def runs() -> Variable:
    """Make the choice of runs, for annotations and verdicts; of every load generator, whatever jobs are chosen."""
    return choice("run", RUN_INFO, "run_id")
