"""Writes a result as CSV: ``streams.csv`` has a row for each name, ``timeline.csv`` one for each second and name.

Every value has the digits of ``result.json``. Durations are seconds; an empty cell means that there is no value.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from streamgauge.report import sums
from streamgauge.report.result import NamedStreams, Result
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.run_second import ARRIVALS, SUMS
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS, TIMES_BY_SECOND

STREAMS, TIMELINE = "streams.csv", "timeline.csv"

_METRICS = tuple(each.key for each in DISTRIBUTIONS.values() if not each.internal)
_STATISTICS = ("mean", "min", "max", "p50", "p90", "p95", "p99", "p999")
_COUNTS = tuple(each.key for each in COUNTERS.values() if each.field != "started")
_TOKEN_RATES = ("in_all", "p50", "p10", "p1")

_Row = dict[str, Any]


def streams_csv(result: Result) -> str:
    """Return one row for each name and protocol: its streams by outcome, its counts, and its distributions."""
    known = [outcome.value for outcome in Outcome]
    others = {outcome for each in result["streams"] for outcome in each["outcomes"]} - {*known}
    outcomes = [*known, *sorted(others)]
    header = [
        *("name", "protocol", "started", *outcomes, "failed"),
        *(column for metric in _METRICS for column in _summary(metric, {})),
        *_COUNTS,
        *(f"tokens_per_second_{rate}" for rate in _TOKEN_RATES),
    ]
    return _text(header, (_streams_row(each, outcomes) for each in result["streams"]))


def timeline_csv(result: Result) -> str:
    """Return one row for each second over all names (``scope`` is ``all``), followed by one for each name.

    ``scope`` is ``other`` in the row of all names that have no row of their own.
    """
    rows = (row for point in result["timeline"] for row in _second_rows(point))
    header = ["t_s", "scope", "name", "protocol", "active", *_point({}), *ARRIVALS]
    return _text(header, rows)


def write_tables(result: Result, directory: Path) -> list[Path]:
    """Write both tables to ``directory``, each whole or not at all, and return their paths."""
    return [_write(directory / STREAMS, streams_csv(result)), _write(directory / TIMELINE, timeline_csv(result))]


def _write(path: Path, text: str) -> Path:
    unfinished = path.with_suffix(".csv.part")
    unfinished.write_text(text, encoding="utf-8", errors="replace")
    return unfinished.rename(path)


def _text(header: Sequence[str], rows: Iterable[_Row]) -> str:
    file = io.StringIO()
    writer = csv.DictWriter(file, header, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def _streams_row(each: NamedStreams, outcomes: Iterable[str]) -> _Row:
    values: Mapping[str, Any] = each
    row: _Row = {"name": each["name"], "protocol": each["protocol"], "started": each["started"]}
    row |= {outcome: each["outcomes"].get(outcome, 0) for outcome in outcomes}
    row["failed"] = sums.failed(each["outcomes"])
    for metric in _METRICS:
        row |= _summary(metric, values.get(metric) or {})
    row |= {count: values.get(count, "") for count in _COUNTS}
    rates = values.get("tokens_per_second") or {}
    return row | {f"tokens_per_second_{rate}": rates.get(rate, "") for rate in _TOKEN_RATES}


def _summary(metric: str, found: Mapping[str, Any]) -> _Row:
    """Return the columns of a distribution; the last has the ranges of percentiles that are not exactly known."""
    statistics = {f"{metric}_{statistic}_s": found.get(statistic) for statistic in _STATISTICS}
    return {
        f"{metric}_count": found.get("count"),
        **statistics,
        f"{metric}_uncertain_s": _ranges(found.get("uncertain", {})),
    }


def _ranges(uncertain: Mapping[str, Sequence[float]]) -> str:
    return " ".join(f"{percentile}={least_s}..{most_s}" for percentile, (least_s, most_s) in uncertain.items())


def _second_rows(point: Mapping[str, Any]) -> Iterable[_Row]:
    arrivals = {count: point[count] for count in ARRIVALS if count in point}
    yield {"t_s": point["t_s"], "scope": "all", "active": point["active"], **_point(point), **arrivals}
    for each in point.get("streams", ()):
        scope = "name" if each["protocol"] else "other"
        name = {"name": each["name"], "protocol": each["protocol"]} if scope == "name" else {}
        yield {"t_s": point["t_s"], "scope": scope, **name, **_point(each)}


def _point(values: Mapping[str, Any]) -> _Row:
    row: _Row = {count: values.get(count) for count in SUMS}
    for metric in TIMES_BY_SECOND:
        percentiles, uncertain = values.get(metric, {}), values.get("uncertain", {})
        row |= {f"{metric}_{name}_s": percentiles.get(name) for name in ("p50", "p99")}
        row[f"{metric}_uncertain_s"] = _ranges(uncertain.get(metric, {}))
    return row
