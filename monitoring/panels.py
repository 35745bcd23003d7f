"""Panels as Grafana draws them now: thin subclasses over grafanalib, which writes the options of older versions."""

from collections.abc import Mapping, Sequence
from typing import Any

from grafanalib import core

from monitoring.config import LIMITS, NO_RUN, NO_TRAFFIC, NO_VERDICT, Floor, Limit

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
#: What a panel may be judged by: a metric that has limits, the share that an objective asks for, limits of its own.
Judged = str | float | Limit | Floor | None
#: The colour of figures that are neither good nor bad: that of any text.
NEUTRAL = "text"
#: Grafana's units of the panels that have limits: the factor and the word that people use.
_SPOKEN_UNITS = {"s": (1, " s"), "percentunit": (100, " %"), "none": (1, "")}
_TRUST = (("2", "trusted", "green"), ("1", "degraded", "orange"), ("0", "invalid", "red"))


def _trust(words: Mapping[str, str]) -> list[Json]:
    """Value mappings of the verdict on the measurement itself; ``words`` are what is mapped, by the number."""
    options = {
        words[number]: {"text": text, "color": colour, "index": index}
        for index, (number, text, colour) in enumerate(_TRUST)
    }
    return [{"type": "value", "options": options}]


#: For the gauge that holds the verdict's number, and for the label that holds its word.
TRUST = _trust({number: number for number, _, _ in _TRUST})
TRUST_WORDS = _trust({number: text for number, text, _ in _TRUST})
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
    "color": {"exponent": 0.5, "mode": "scheme", "scale": "exponential", "scheme": "Oranges", "steps": 64},
    "exemplars": {"color": "rgba(255,0,255,0.7)"},
    "filterValues": {"le": 1e-9},
    "legend": {"show": True},
    "rowsFrame": {"layout": "auto"},
    "showValue": "never",
    "tooltip": {"yHistogram": True},
}


def per_second(counted: str) -> str:
    """Grafana's unit for so many of these a second; thousands are K."""
    return f"count:{counted}/s"


def targets(*queries: tuple[str, str], **options: Any) -> list[Target]:
    """Queries ``(expression, legend)`` as targets A, B, C …"""
    return [
        Target(expr=expression, legendFormat=legend, refId=chr(ord("A") + index), **options)
        for index, (expression, legend) in enumerate(queries)
    ]


def steps(limit_of: Judged) -> list[Json]:
    """Threshold steps from the limits of a metric, or of a share that must be at least so much.

    The first has no value: grafanalib's own would be ``"null"``.
    """
    if isinstance(limit_of, float):
        return [_step("red", None), _step("orange", _tolerable(limit_of)), _step("green", limit_of)]
    if isinstance(limit_of, Floor):
        return [_step("red", None), _step("orange", limit_of.bad), _step("green", limit_of.warn)]
    if limit_of is None:
        return [_step(NEUTRAL, None)]
    limit = _limit(limit_of)
    return [_step("green", None), _step("orange", limit.warn), _step("red", limit.bad)]


def _limit(limit_of: str | Limit) -> Limit:
    return limit_of if isinstance(limit_of, Limit) else LIMITS[limit_of]


def _step(colour: str, value: float | None) -> Json:
    return {"color": colour, "value": value}


def _tolerable(share: float) -> float:
    """Where a share that must be at least so much turns red: ten times what may be missing is missing."""
    return round(1 - 10 * (1 - share), 9)


def explained(description: str, unit: str, limit_of: Judged) -> str:
    """The description, and where its colours turn and why."""
    if limit_of is None:
        return description
    if isinstance(limit_of, float):
        floors = f"red below {_tolerable(limit_of) * 100:.4g} %"
        return (
            f"{description} Green from {limit_of * 100:.4g} %, the objective; {floors}, where ten times as much fails."
        )
    limit = limit_of if isinstance(limit_of, Floor) else _limit(limit_of)
    factor, suffix = _SPOKEN_UNITS[unit]
    warn, bad = (f"{value * factor:.4g}{suffix}" for value in (limit.warn, limit.bad))
    if isinstance(limit, Floor):
        return f"{description} Green from {warn}, red below {bad}: {limit.reason}"
    return f"{description} Orange from {warn}, red from {bad}: {limit.reason}"


def stat(
    title: str, description: str, expression: str, unit: str, limit_of: Judged = None, **defaults: Any
) -> core.Stat:
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
        extraJson={"fieldConfig": {"defaults": {"color": {"mode": "thresholds"}} | defaults}},
    )


def verdict(title: str, description: str, expression: str) -> core.Stat:
    """The verdict on the measurement, in words; of several runs the worst."""
    description += " A run has none in its first 15 s."
    return stat(title, description, expression, "none", mappings=TRUST, noValue=NO_VERDICT)


def words(title: str, description: str, alike: tuple[str, str], unlike: tuple[str, str]) -> core.Stat:
    """A sentence instead of a number: of two queries, each with its legend, one has an answer, which its legend tells.

    The first answers 1 and is good news, the second 0 and is bad.
    """
    return core.Stat(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=targets(alike, unlike, instant=True),
        format="none",
        thresholds=[_step("red", None), _step("green", 1.0)],
        noValue=NO_RUN,
        reduceCalc="lastNotNull",
        graphMode="none",
        colorMode="value",
        textMode="name",
        maxDataPoints=None,
        extraJson={"fieldConfig": {"defaults": {"color": {"mode": "thresholds"}}}},
    )


def chart(
    title: str,
    description: str,
    queries: Sequence[tuple[str, str]],
    unit: str,
    limit_of: Judged = None,
    **defaults: Any,
) -> core.TimeSeries:
    """Lines over time from zero, with a table for a legend and dashed lines at the limits."""
    return core.TimeSeries(
        title=title,
        description=explained(description, unit, limit_of),
        dataSource=DATASOURCE,
        targets=targets(*queries),
        unit=unit,
        thresholds=steps(limit_of),
        thresholdsStyleMode="dashed" if limit_of else "off",
        fillOpacity=10,
        showPoints="never",
        legendDisplayMode="table",
        legendCalcs=["lastNotNull", "max"],
        tooltipMode="multi",
        tooltipSort="desc",
        stacking={"group": "A", "mode": "none"},
        maxDataPoints=None,
        extraJson={
            "fieldConfig": {"defaults": {"min": 0, "noValue": NO_TRAFFIC} | defaults},
            "options": {"legend": {"showLegend": True}},
        },
    )


def heatmap(title: str, description: str, expression: str, counted: str, unit: str = "s") -> Heatmap:
    """Buckets over time, bounds in ``unit``; a cell says how many of what is ``counted`` came per second.

    ``expression`` keeps ``le``.
    """
    return Heatmap(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=targets((expression, "{{le}}"), format="heatmap"),
        thresholds=steps(None),
        maxDataPoints=None,
        extraJson={
            "fieldConfig": {"defaults": {"noValue": NO_TRAFFIC, "unit": unit}, "overrides": []},
            "options": {
                "cellValues": {"unit": per_second(counted)},
                "yAxis": {"axisPlacement": "left", "reverse": False, "unit": unit},
            },
        },
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
