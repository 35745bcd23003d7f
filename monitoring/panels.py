"""Panels for current Grafana: thin subclasses of grafanalib's, which write the options of older versions."""

from collections.abc import Mapping, Sequence
from typing import Any

from grafanalib import core

from monitoring.config import LIMITS, NO_RUN, NO_TRAFFIC, NO_VERDICT, Floor, Limit

Json = dict[str, Any]

DATASOURCE: Json = {"type": "prometheus", "uid": "${datasource}"}
#: The limits of a panel: those of a metric, the share of an objective, or its own.
Limits = str | float | Limit | Floor | None
#: The text colour, for figures that are neither good nor bad.
NEUTRAL = "text"
#: Factor and suffix to write a limit, by Grafana's unit.
_WRITTEN_UNITS = {"s": (1, " s"), "percentunit": (100, " %"), "none": (1, "")}
_TRUST = (("2", "trusted", "green"), ("1", "degraded", "orange"), ("0", "invalid", "red"))


def _trust(words: Mapping[str, str]) -> list[Json]:
    """Map a verdict on the measurement to its text and colour; ``words`` has the mapped value by number."""
    options = {
        words[number]: {"text": text, "color": colour, "index": index}
        for index, (number, text, colour) in enumerate(_TRUST)
    }
    return [{"type": "value", "options": options}]


#: For the gauge with the verdict's number, and for the label with its word.
TRUST = _trust({number: number for number, _, _ in _TRUST})
TRUST_WORDS = _trust({number: text for number, text, _ in _TRUST})
WIDTH = 24


class Target(core.Target):  # type: ignore[misc]  # grafanalib has no types
    """One PromQL query of a panel."""

    def to_json_data(self) -> Json:
        """Write the target like Grafana's Prometheus query editor, without exemplars, which the apps do not expose."""
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
    """A histogram's buckets over time: darker cells have more observations."""

    def to_json_data(self) -> Json:
        """Write the panel, with empty cells blank."""
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
    """Make Grafana's unit for a count per second; thousands are K."""
    return f"count:{counted}/s"


def targets(*queries: tuple[str, str], **options: Any) -> list[Target]:
    """Make targets A, B, C … from queries ``(expression, legend)``."""
    return [
        Target(expr=expression, legendFormat=legend, refId=chr(ord("A") + index), **options)
        for index, (expression, legend) in enumerate(queries)
    ]


def steps(limit_of: Limits) -> list[Json]:
    """Make threshold steps from limits. The first has no value: grafanalib's own would be ``"null"``."""
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
    """Find where a share turns red: at ten times the errors that its objective allows."""
    return round(1 - 10 * (1 - share), 9)


def explained(description: str, unit: str, limit_of: Limits) -> str:
    """Add to the description where its colours turn and why."""
    if limit_of is None:
        return description
    if isinstance(limit_of, float):
        floors = f"red below {_tolerable(limit_of) * 100:.4g} %, at ten times the allowed errors."
        return f"{description} Green from {limit_of * 100:.4g} %, the objective; {floors}"
    limit = limit_of if isinstance(limit_of, Floor) else _limit(limit_of)
    factor, suffix = _WRITTEN_UNITS[unit]
    warn, bad = (f"{value * factor:.4g}{suffix}" for value in (limit.warn, limit.bad))
    if isinstance(limit, Floor):
        return f"{description} Green from {warn}, red below {bad}: {limit.reason}"
    return f"{description} Orange from {warn}, red from {bad}: {limit.reason}"


def stat(
    title: str, description: str, expression: str, unit: str, limit_of: Limits = None, **defaults: Any
) -> core.Stat:
    """Make a panel of one current number. The query is instant, so that no old value stays when the traffic ends."""
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
    """Make a panel of the verdict on the measurement in words, the worst of several runs."""
    description += " A run has no verdict in its first 15 s."
    return stat(title, description, expression, "none", mappings=TRUST, noValue=NO_VERDICT)


def words(title: str, description: str, alike: tuple[str, str], unlike: tuple[str, str]) -> core.Stat:
    """Make a panel of a sentence: the legend of the one of two queries that has an answer.

    The first answers 1 and is good, the second answers 0 and is bad.
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
    limit_of: Limits = None,
    **defaults: Any,
) -> core.TimeSeries:
    """Make a panel of lines over time from zero, with a table as legend and dashed lines at the limits."""
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
    """Make a panel of buckets over time, bounds in ``unit`` and cells in ``counted`` per second."""
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
    """Give one colour to every line of a panel whose legend matches ``pattern``."""
    panel.overrides.append(
        {
            "matcher": {"id": "byRegexp", "options": pattern},
            "properties": [{"id": "color", "value": {"fixedColor": name, "mode": "fixed"}}],
        }
    )
    return panel
