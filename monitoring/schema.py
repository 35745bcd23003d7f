"""Dashboards for Grafana 12: lays rows on the grid and removes grafanalib's older keys."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grafanalib import core
from grafanalib._gen import DashboardEncoder

from monitoring.annotations import run_annotations
from monitoring.panels import DATASOURCE, WIDTH, Json

SCHEMA_VERSION = 41
REFRESH = "5s"
TAG = "streamgauge"
TAGS = (TAG, "generated")

_DASHBOARD_LEGACY = ("__inputs", "gnetId", "hideControls", "id", "rows", "sharedCrosshair", "style")
_PANEL_LEGACY = ("cacheTimeout", "editable", "error", "height", "hideTimeOverride", "minSpan", "span")
_VARIABLE_LEGACY = ("auto", "auto_count", "auto_min", "tagValuesQuery", "tagsQuery", "useTags")
_ROW_KEYS = ("collapsed", "gridPos", "id", "panels", "title", "type")


@dataclass(frozen=True, slots=True)
class Row:
    """A titled row of panels of one height; ``widths`` repeat from left to right."""

    title: str
    height: int
    widths: Sequence[int]
    panels: Sequence[core.Panel]


def lay_out(rows: Sequence[Row]) -> list[core.Panel]:
    """Place the panels on Grafana's grid of 24 columns, below the titles of their rows."""
    placed: list[core.Panel] = []
    y = 0
    for row in rows:
        placed.append(core.RowPanel(title=row.title, gridPos=core.GridPos(h=1, w=WIDTH, x=0, y=y)))
        x, y = 0, y + 1
        for index, panel in enumerate(row.panels):
            width = row.widths[index % len(row.widths)]
            if x + width > WIDTH:
                x, y = 0, y + row.height
            panel.gridPos = core.GridPos(h=row.height, w=width, x=x, y=y)
            placed.append(panel)
            x += width
        y += row.height
    return placed


def dashboard(
    uid: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    variables: list[core.Template],
    since: str = "now-15m",
) -> Json:
    """Make a dashboard that opens on the time range from ``since`` to now."""
    return finalize(
        core.Dashboard(
            uid=uid,
            title=title,
            description=description,
            tags=list(TAGS),
            annotations=core.Annotations(list=run_annotations()),
            links=[_LINKS],
            editable=False,
            graphTooltip=core.GRAPH_TOOLTIP_MODE_SHARED_CROSSHAIR,
            panels=lay_out(rows),
            refresh=REFRESH,
            schemaVersion=SCHEMA_VERSION,
            templating=core.Templating(list=variables),
            time=core.Time(since, "now"),
            timezone="browser",
        ).auto_panel_ids()
    )


#: Links to the other dashboards, which keep the time range and the variables.
_LINKS = core.DashboardLink(title="streamgauge", type="dashboards", tags=[TAG], keepTime=True, includeVars=True)


def finalize(grafanalib_dashboard: core.Dashboard) -> Json:
    """Convert grafanalib's dashboard for current Grafana."""
    made: Json = json.loads(json.dumps(grafanalib_dashboard, cls=DashboardEncoder))
    made = _without_none({key: value for key, value in made.items() if key not in _DASHBOARD_LEGACY})
    made["timepicker"] = {"refresh_intervals": ["2s", "5s", "10s", "30s", "1m", "5m"]}
    made["panels"] = [_panel(panel) for panel in made["panels"]]
    for variable in made["templating"]["list"]:
        _drop(variable, _VARIABLE_LEGACY)
    return made


def _panel(panel: Json) -> Json:
    """Remove legacy keys from a panel."""
    if panel["type"] == "row":
        return {key: panel[key] for key in _ROW_KEYS}
    _drop(panel, _PANEL_LEGACY)
    panel["datasource"] = DATASOURCE
    _from_minus_infinity(panel["fieldConfig"])
    scale = panel["fieldConfig"]["defaults"].get("custom", {}).get("scaleDistribution")
    if scale and scale["type"] == "linear":
        scale.pop("log", None)
    return panel


def _from_minus_infinity(value: Any) -> None:
    """Set the first step of all thresholds to null, which means minus infinity."""
    if isinstance(value, dict) and "steps" in value:
        value["steps"][0]["value"] = None
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _from_minus_infinity(item)


def _without_none(value: Any) -> Any:
    """Remove keys without a value: grafanalib writes null for each, where Grafana has a default."""
    if isinstance(value, dict):
        return {key: _without_none(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_none(item) for item in value]
    return value


def _drop(target: Json, keys: Sequence[str]) -> None:
    for key in keys:
        target.pop(key, None)
