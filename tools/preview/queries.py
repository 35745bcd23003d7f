"""Runs a panel's queries as Grafana does: range or instant, with tables joined by the panel's transformations."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from monitoring.panels import Json
from tools.preview.prometheus import Prometheus, Series
from tools.preview.variables import Variables

_LABEL = re.compile(r"\{\{\s*(\w+)\s*\}\}")
ANNOTATION_POINTS = 100
#: A table's cells by heading: a text for a label, a number for a value.
Row = dict[str, str | float]


@dataclass(frozen=True, slots=True)
class Line:
    """A series and its legend."""

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
    """Columns by heading, and the rows."""

    columns: list[str]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class PanelQueries:
    """Runs the queries of one dashboard's panels. Every method raises QueryError."""

    source: Prometheus
    variables: Variables

    def lines(self, panel: Json, points: int) -> list[Line]:
        """Query all series of a panel's targets, with their legends."""
        return [
            Line(self._legend(target["legendFormat"], each.labels, points), each)
            for target in panel["targets"]
            for each in self.answer(target, points)
        ]

    def answer(self, target: Json, points: int) -> list[Series]:
        """Query one target's series over the time range, or at its end."""
        query, window = self.variables.substitute(target["expr"], points), self.variables.window
        if target["instant"]:
            return self.source.instant(query, window.end_s)
        return self.source.over(query, window.start_s, window.end_s, window.interval_s(points))

    def table(self, panel: Json, points: int) -> Table:
        """Query the targets into one table: rows with the same labels merged, columns as the panel organizes them."""
        rows: dict[tuple[tuple[str, str], ...], Row] = {}
        for target in panel["targets"]:
            heading = f"Value #{target['refId']}" if len(panel["targets"]) > 1 else "Value"
            for series in self.answer(target, points):
                labels = {key: text for key, text in series.labels.items() if key != "__name__"}
                row = rows.setdefault(tuple(sorted(labels.items())), dict(labels))
                row[heading] = series.values[0]
        organized = next(each["options"] for each in panel["transformations"] if each["id"] == "organize")
        names: Mapping[str, str] = organized["renameByName"]
        renamed = [{names[key]: cell for key, cell in row.items() if key in names} for row in rows.values()]
        ordered = sorted(names, key=organized["indexByName"].__getitem__)
        return Table([names[key] for key in ordered], _sorted(renamed, panel["options"]["sortBy"]))

    def marks(self, dashboard: Json) -> list[Mark]:
        """Query the moments that the annotations mark in the time range."""
        window, found = self.variables.window, set()
        for annotation in dashboard["annotations"]["list"]:
            query, step_s = annotation["expr"], window.interval_s(ANNOTATION_POINTS)
            query = self.variables.substitute(query, ANNOTATION_POINTS)
            for series in self.source.over(query, window.start_s, window.end_s, step_s):
                text = self._legend(annotation["titleFormat"], series.labels, ANNOTATION_POINTS)
                found |= {Mark(value / 1000, text, annotation["iconColor"]) for value in series.values}
        return [mark for mark in found if window.start_s <= mark.at_s <= window.end_s]

    def _legend(self, template: str, labels: Mapping[str, str], points: int) -> str:
        return _LABEL.sub(lambda match: labels.get(match[1], ""), self.variables.substitute(template, points))


def _order(heading: str, row: Row) -> tuple[float, str]:
    cell = row.get(heading, "")
    return (0.0, cell) if isinstance(cell, str) else (cell, "")


def _sorted(rows: list[Row], sort_by: list[Json]) -> list[Row]:
    """Sort the rows as the panel says, else by their texts."""
    rows = sorted(rows, key=lambda row: [str(cell) for cell in row.values() if isinstance(cell, str)])
    for each in sort_by:
        rows = sorted(rows, key=partial(_order, each["displayName"]), reverse=each["desc"])
    return rows
