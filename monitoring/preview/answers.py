"""A panel's queries asked as Grafana asks them: range or instant, and tables joined by the panel's transformations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from monitoring.panels import Json
from monitoring.preview.prometheus import Prometheus, Series
from monitoring.preview.scope import Scope

_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
ANNOTATION_POINTS = 100


@dataclass(frozen=True, slots=True)
class Line:
    """A series under its legend."""

    legend: str
    series: Series


@dataclass(frozen=True, slots=True)
class Mark:
    """One moment that an annotation marks."""

    at_s: float
    text: str
    colour: str


@dataclass(frozen=True, slots=True)
class Table:
    """Columns by heading, and the rows' cells: a text for a label, a number for a value, None where there is none."""

    columns: list[str]
    rows: list[dict[str, str | float]]


@dataclass(frozen=True, slots=True)
class Questions:
    """Asks one dashboard's queries. Every method raises QueryError."""

    source: Prometheus
    scope: Scope

    def lines(self, panel: Json, points: int) -> list[Line]:
        """All series of a panel's targets, with their legends."""
        found = []
        for target in panel["targets"]:
            answered = self.answer(target, points)
            found += [Line(self._legend(target["legendFormat"], each.labels, points), each) for each in answered]
        return found

    def answer(self, target: Json, points: int) -> list[Series]:
        """One target's series over the time shown, or of its end."""
        query = self.scope.fill(target["expr"], points)
        window = self.scope.window
        if target["instant"]:
            return self.source.instant(query, window.end_s)
        return self.source.over(query, window.start_s, window.end_s, window.interval_s(points))

    def table(self, panel: Json, points: int) -> Table:
        """The targets' answers in one table: rows with the same labels merged, columns as the panel organizes them."""
        rows: dict[tuple[tuple[str, str], ...], dict[str, str | float]] = {}
        for target in panel["targets"]:
            heading = f"Value #{target['refId']}" if len(panel["targets"]) > 1 else "Value"
            for series in self.answer(target, points):
                labels = {key: text for key, text in series.labels.items() if key != "__name__"}
                row = rows.setdefault(tuple(sorted(labels.items())), dict(labels))
                row[heading] = series.values[0]
        organized = next(each["options"] for each in panel["transformations"] if each["id"] == "organize")
        names: Mapping[str, str] = organized["renameByName"]
        made = [{names[key]: cell for key, cell in row.items() if key in names} for row in rows.values()]
        ordered = sorted(names, key=organized["indexByName"].__getitem__)
        return Table([names[key] for key in ordered], _sorted(made, panel["options"]["sortBy"]))

    def marks(self, dashboard: Json) -> list[Mark]:
        """What the annotations mark in the time shown."""
        window, found = self.scope.window, {}
        for annotation in dashboard["annotations"]["list"]:
            query = self.scope.fill(annotation["expr"], ANNOTATION_POINTS)
            step_s = window.interval_s(ANNOTATION_POINTS)
            for series in self.source.over(query, window.start_s, window.end_s, step_s):
                for value in series.values:
                    text = self._legend(annotation["titleFormat"], series.labels, ANNOTATION_POINTS)
                    found[value, text] = Mark(value / 1000, text, annotation["iconColor"])
        return [mark for mark in found.values() if window.start_s <= mark.at_s <= window.end_s]

    def _legend(self, template: str, labels: Mapping[str, str], points: int) -> str:
        filled = self.scope.fill(template, points)
        return _LABEL.sub(lambda match: labels.get(match[1], ""), filled)


def _order(heading: str, row: Mapping[str, str | float]) -> tuple[float, str]:
    cell = row.get(heading, "")
    return (0.0, cell) if isinstance(cell, str) else (cell, "")


def _sorted(rows: list[dict[str, str | float]], sort_by: list[Json]) -> list[dict[str, str | float]]:
    """The rows as the panel sorts them, else by their texts."""
    rows = sorted(rows, key=lambda row: [str(cell) for cell in row.values() if isinstance(cell, str)])
    for each in sort_by:
        heading = each["displayName"]
        rows = sorted(rows, key=partial(_order, heading), reverse=each["desc"])
    return rows
