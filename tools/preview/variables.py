"""Resolves Grafana's variables: intervals from the time range and a panel's width, and the dashboard's own."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from monitoring.config import SCRAPE_INTERVAL_S
from monitoring.panels import Json
from tools.preview.prometheus import Prometheus

_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+)")
_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)", re.DOTALL)
_QUERY_RESULT = re.compile(r"query_result\((.+)\)", re.DOTALL)
_DESCENDING = 2

#: Grafana rounds an interval below the first number of a pair to the second; both in seconds.
_ROUNDED = (
    (1.5, 1), (3.5, 2), (7.5, 5), (12.5, 10), (17.5, 15), (25, 20), (45, 30), (90, 60), (210, 120), (450, 300),
    (750, 600), (1050, 900), (1500, 1200), (2700, 1800), (5400, 3600), (9000, 7200), (16200, 10800), (32400, 21600),
    (86400, 43200), (604800, 86400),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Window:
    """The time range, in Unix seconds."""

    start_s: float
    end_s: float

    @property
    def length_s(self) -> float:
        """The time from start to end."""
        return self.end_s - self.start_s

    def interval_s(self, points: int) -> int:
        """Grafana's ``$__interval`` for a panel that many pixels wide; at least the scrape interval."""
        wanted = self.length_s / points
        rounded = next((interval for limit, interval in _ROUNDED if wanted < limit), 604800)
        return max(rounded, SCRAPE_INTERVAL_S)

    def rate_interval_s(self, points: int) -> int:
        """Grafana's ``$__rate_interval``: at least four scrapes, and at least a step and a scrape."""
        return max(self.interval_s(points) + SCRAPE_INTERVAL_S, 4 * SCRAPE_INTERVAL_S)


@dataclass(frozen=True, slots=True)
class Variables:
    """A dashboard's variables: ``values`` by name for the queries, ``shown`` by label for the reader."""

    window: Window
    values: dict[str, str] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)

    def substitute(self, text: str, points: int) -> str:
        """Replace each variable in a text. Unknown ones stay."""
        known = self.values | {
            "__interval": f"{self.window.interval_s(points)}s",
            "__rate_interval": f"{self.window.rate_interval_s(points)}s",
            "__range": f"{round(self.window.length_s)}s",
        }
        return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], match[0]), text)


def resolve(dashboard: Json, source: Prometheus, window: Window, chosen: Mapping[str, str]) -> Variables:
    """Resolve the variables as they are when the dashboard opens, or as ``chosen``. Raises QueryError."""
    variables = Variables(window)
    for variable in dashboard["templating"]["list"]:
        name = variable["name"]
        value, shown = _value(variable, source, variables, chosen.get(name))
        variables.values[name] = value
        if not variable["hide"]:
            variables.shown[variable["label"]] = shown
    return variables


def _value(variable: Json, source: Prometheus, before: Variables, chosen: str | None) -> tuple[str, str]:
    """Find what a query gets for a variable, and what the reader sees."""
    if chosen is not None:
        return chosen, chosen
    if variable["type"] != "query":
        return variable["current"]["value"], variable["current"]["text"]
    if variable["includeAll"]:
        return variable["allValue"], "All"
    found = options(variable, source, before)
    return (found[0], found[0]) if found else ("", "None")


def options(variable: Json, source: Prometheus, before: Variables) -> list[str]:
    """Query the options of a variable, in its order. Raises QueryError."""
    text, window = before.substitute(variable["query"]["query"], 100), before.window
    if match := _LABEL_VALUES.fullmatch(text):
        found = source.label_values(match[2], match[1], window.start_s, window.end_s)
        return sorted(found, reverse=variable["sort"] == _DESCENDING)
    match = _QUERY_RESULT.fullmatch(text)
    if match is None:
        raise ValueError(f"expected label_values(…) or query_result(…), got {text!r}")
    pattern = re.compile(variable["regex"].strip("/"))
    texts = [_result_text(each.labels, each.values[0], window.end_s) for each in source.instant(match[1], window.end_s)]
    return [found[1] for found in map(pattern.search, texts) if found]


def _result_text(labels: Mapping[str, str], value: float, at_s: float) -> str:
    """Write one answer as Grafana does for a variable's regular expression: labels, value, milliseconds."""
    return f"{{{','.join(f'{key}={text!r}' for key, text in labels.items())}}} {value:.15g} {at_s * 1000:.0f}"
