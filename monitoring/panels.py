"""Panels as Grafana draws them now: thin subclasses over grafanalib, which writes the options of older versions."""

from collections.abc import Sequence
from typing import Any

from grafanalib import core

from monitoring.config import LIMITS, NO_TRAFFIC

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
#: Grafana's units of the panels that have limits: the factor and the word that people use.
_SPOKEN_UNITS = {"s": (1, "s"), "percentunit": (100, "%")}
PERCENTILES = ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))
WIDTH = 24


class Target(core.Target):  # type: ignore[misc]  # grafanalib has no types
    """One PromQL query of a panel."""

    def to_json_data(self) -> Json:
        """What Grafana's Prometheus query editor writes. The apps expose no exemplars, so none are asked for."""
        return {
            "datasource": DATASOURCE,
            "editorMode": "code",
            "exemplar": False,
            "expr": self.expr,
            "format": self.format,
            "instant": self.instant,
            "legendFormat": self.legendFormat,
            "range": not self.instant,
            "refId": self.refId,
        }


class Heatmap(core.Panel):  # type: ignore[misc]  # grafanalib has no types; its own Heatmap is the removed one
    """A histogram's buckets over time: the darker a cell, the more observations fell into it."""

    def to_json_data(self) -> Json:
        """The buckets as they are, with empty cells left blank."""
        return self.panel_json({"type": "heatmap", "options": _HEATMAP_OPTIONS})  # type: ignore[no-any-return]


_HEATMAP_OPTIONS: Json = {
    "calculate": False,
    "cellGap": 1,
    "cellValues": {"unit": "cps"},
    "color": {"exponent": 0.5, "mode": "scheme", "scale": "exponential", "scheme": "Oranges", "steps": 64},
    "exemplars": {"color": "rgba(255,0,255,0.7)"},
    "filterValues": {"le": 1e-9},
    "legend": {"show": True},
    "rowsFrame": {"layout": "auto"},
    "showValue": "never",
    "tooltip": {"yHistogram": True},
    "yAxis": {"axisPlacement": "left", "reverse": False, "unit": "s"},
}


def targets(*queries: tuple[str, str], **options: Any) -> list[Target]:
    """Queries ``(expression, legend)`` as targets A, B, C …"""
    return [
        Target(expr=expression, legendFormat=legend, refId=chr(ord("A") + index), **options)
        for index, (expression, legend) in enumerate(queries)
    ]


def steps(limit_of: str | None) -> list[Json]:
    """Threshold steps from the limits of a metric. The first has no value: grafanalib's own would be ``"null"``."""
    first: list[Json] = [{"color": "green", "value": None}]
    if limit_of is None:
        return first
    limit = LIMITS[limit_of]
    return [*first, {"color": "orange", "value": limit.warn}, {"color": "red", "value": limit.bad}]


def explained(description: str, unit: str, limit_of: str | None) -> str:
    """The description, and where its colours turn and why."""
    if limit_of is None:
        return description
    limit = LIMITS[limit_of]
    factor, suffix = _SPOKEN_UNITS[unit]
    warn, bad = (f"{value * factor:.4g} {suffix}" for value in (limit.warn, limit.bad))
    return f"{description} Orange from {warn}, red from {bad}: {limit.reason}"


def stat(title: str, description: str, expression: str, unit: str, limit_of: str | None = None) -> core.Stat:
    """One number, of now: an instant query, so that the last value does not stay when the traffic went."""
    return core.Stat(
        title=title,
        description=explained(description, unit, limit_of),
        dataSource=DATASOURCE,
        targets=targets((expression, ""), instant=True),
        format=unit,
        thresholds=steps(limit_of),
        noValue=NO_TRAFFIC,
        reduceCalc="lastNotNull",
        graphMode="none",
        colorMode="value",
        maxDataPoints=None,
        extraJson={"fieldConfig": {"defaults": {"color": {"mode": "thresholds"}}}},
    )


def chart(
    title: str, description: str, queries: Sequence[tuple[str, str]], unit: str, limit_of: str | None = None
) -> core.TimeSeries:
    """Lines over time, with a table for a legend and dashed lines at the limits."""
    return core.TimeSeries(
        title=title,
        description=explained(description, unit, limit_of),
        dataSource=DATASOURCE,
        targets=targets(*queries),
        unit=unit,
        thresholds=steps(limit_of),
        thresholdsStyleMode="dashed" if limit_of else "off",
        valueMin=0,
        fillOpacity=10,
        showPoints="never",
        legendDisplayMode="table",
        legendCalcs=["lastNotNull", "max"],
        tooltipMode="multi",
        tooltipSort="desc",
        stacking={"group": "A", "mode": "none"},
        maxDataPoints=None,
        extraJson={"fieldConfig": {"defaults": {"noValue": NO_TRAFFIC}}, "options": {"legend": {"showLegend": True}}},
    )


def heatmap(title: str, description: str, expression: str) -> Heatmap:
    """Buckets of seconds over time. ``expression`` keeps ``le``."""
    return Heatmap(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=targets((expression, "{{le}}"), format="heatmap"),
        thresholds=steps(None),
        maxDataPoints=None,
        extraJson={"fieldConfig": {"defaults": {"noValue": NO_TRAFFIC, "unit": "s"}, "overrides": []}},
    )


def colour(panel: core.TimeSeries, pattern: str, name: str) -> core.TimeSeries:
    """The same panel, with one colour for every line whose legend matches ``pattern``."""
    panel.overrides.append(
        {
            "matcher": {"id": "byRegexp", "options": pattern},
            "properties": [{"id": "color", "value": {"fixedColor": name, "mode": "fixed"}}],
        }
    )
    return panel
