"""The template variables: which data source, job, instance and route a dashboard shows."""

from typing import Any

from grafanalib import core

from monitoring.config import ALL_VALUES, DATASOURCE_UID, TARGET_METRIC
from monitoring.panels import DATASOURCE, Json

_REFRESH_ON_TIME_RANGE = 2
_LABEL_VALUES_QUERY = 1


class Variable(core.Template):  # type: ignore[misc]  # grafanalib has no types
    """A choice that starts with all values, as Grafana's own editor writes it."""

    def to_json_data(self) -> Json:
        """Grafanalib's keys, the query in the data source's own form, and "All" by the value that Grafana knows."""
        written: Json = super().to_json_data()
        return written | {
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "query": {"qryType": _LABEL_VALUES_QUERY, "query": self.query, "refId": f"{self.name}-values"},
        }


def datasource() -> core.Template:
    """Which Prometheus."""
    variable = core.Template(name="datasource", label="Data source", type="datasource", query="prometheus", regex="")
    variable._current = {"selected": True, "text": "Prometheus", "value": DATASOURCE_UID}  # noqa: SLF001  # no argument sets it
    return variable


def label_values(label: str, series: str, **options: Any) -> Variable:
    """The values that ``label`` has on ``series``, several at a time."""
    return Variable(
        name=label,
        label=label.title(),
        query=f"label_values({series}, {label})",
        dataSource=DATASOURCE,
        allValue=ALL_VALUES,
        includeAll=True,
        multi=True,
        refresh=_REFRESH_ON_TIME_RANGE,
        regex="",
        **options,
    )


def server_variables() -> list[core.Template]:
    """What selects the server's series; each narrows those after it."""
    return [
        datasource(),
        label_values("job", TARGET_METRIC),
        label_values("instance", f'{TARGET_METRIC}{{job=~"$job"}}'),
        label_values("route", 'stream_server_started_total{job=~"$job", instance=~"$instance"}'),
    ]
