"""Tables of instant queries: one column per query, joined on their labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grafanalib import core

from monitoring.config import NO_TRAFFIC
from monitoring.panels import DATASOURCE, Json, Limits, steps, targets

_CELLS: Json = {"align": "auto", "cellOptions": {"type": "auto"}, "filterable": False, "inspect": False}

_NO_MAPPINGS: Mapping[str, Sequence[Json]] = {}


@dataclass(frozen=True, slots=True)
class Column:
    """One query of a table: heading, unit, limits, and other field properties of Grafana, such as mappings."""

    title: str
    expression: str
    unit: str
    limit_of: Limits = None
    properties: Mapping[str, Any] = field(default_factory=dict)

    def override(self) -> Json:
        """Make the column's field configuration."""
        chosen = {"unit": self.unit} | dict(self.properties)
        if self.limit_of is not None:
            chosen |= {"thresholds": {"mode": "absolute", "steps": steps(self.limit_of)}}
            chosen |= {"color": {"mode": "thresholds"}}
        return _override(self.title, chosen)


def _override(heading: str, chosen: Mapping[str, Any]) -> Json:
    """Make the field properties of one column; values with colours colour the cell's text."""
    if "thresholds" in chosen or "mappings" in chosen:
        chosen = {**chosen, "custom.cellOptions": {"type": "color-text"}}
    return {
        "matcher": {"id": "byName", "options": heading},
        "properties": [{"id": key, "value": value} for key, value in chosen.items()],
    }


class Table(core.Panel):  # type: ignore[misc]  # grafanalib has no types; its own Table writes older options
    """A table for current Grafana."""

    def to_json_data(self) -> Json:
        """Write the panel, with a header and low rows."""
        options = {"cellHeight": "sm", "footer": _NO_FOOTER, "frameIndex": 0, "showHeader": True}
        return self.panel_json({"type": "table", "options": options})  # type: ignore[no-any-return]


_NO_FOOTER: Json = {"show": False, "countRows": False, "reducer": []}


def table(
    title: str,
    description: str,
    labels: Mapping[str, str],
    columns: Sequence[Column],
    *,
    sort_by: str = "",
    largest_first: bool = False,
    no_value: str = NO_TRAFFIC,
    mappings: Mapping[str, Sequence[Json]] = _NO_MAPPINGS,
) -> Table:
    """Make a table with a row for each set of ``labels`` (name to heading) and a column for each query.

    ``sort_by`` is a heading; ``largest_first`` reverses the order. ``mappings`` colour labels, by heading.
    """
    return Table(
        title=title,
        description=description,
        dataSource=DATASOURCE,
        targets=targets(*((column.expression, "") for column in columns), format="table", instant=True),
        thresholds=steps(None),
        maxDataPoints=None,
        transformations=[{"id": "merge", "options": {}}, _organize(labels, columns)],
        extraJson={
            "fieldConfig": {
                "defaults": {"custom": _CELLS, "noValue": no_value, "unit": columns[0].unit},
                "overrides": [_label(heading, mappings) for heading in labels.values()]
                + [each.override() for each in columns],
            },
            "options": {"sortBy": [{"displayName": sort_by, "desc": largest_first}] if sort_by else []},
        },
    )


def _label(heading: str, mappings: Mapping[str, Sequence[Json]]) -> Json:
    """Make a label's column: text with a filter."""
    chosen: Json = {"unit": "string", "custom.filterable": True}
    return _override(heading, chosen | ({"mappings": mappings[heading]} if heading in mappings else {}))


def _organize(labels: Mapping[str, str], columns: Sequence[Column]) -> Json:
    """Order and name the columns: labels first, then the queries; the time, equal in all rows, is left out."""
    if len(columns) == 1:
        values = {"Value": columns[0].title}
    else:
        values = {f"Value #{chr(ord('A') + index)}": column.title for index, column in enumerate(columns)}
    renamed = dict(labels) | values
    order = {name: index for index, name in enumerate(renamed)}
    return {
        "id": "organize",
        "options": {"excludeByName": {"Time": True}, "indexByName": order, "renameByName": renamed},
    }
