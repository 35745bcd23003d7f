"""Collects what the Streaming tab and the live page show of a run: as text for the tab, as numbers for the charts."""

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any, cast

from streamgauge.load.run.run_report import RunReport
from streamgauge.load.web.live_charts import SHOWN_TIMES, point_values
from streamgauge.report import slo_text
from streamgauge.report.build import point_figures, timeline_point
from streamgauge.report.enough_text import SCARCE
from streamgauge.report.result import TimelinePoint, Verdict
from streamgauge.report.spans import FILLS
from streamgauge.report.sums import ordered
from streamgauge.report.thinning import thinned
from streamgauge.report.units import NONE, duration, number, rate, size, some
from streamgauge.report.verdict_text import TRUST_MEANS, judgement
from streamgauge.stats.enough import missing
from streamgauge.stats.process_stats import Key
from streamgauge.stats.quantities import Distribution
from streamgauge.stats.run_history import HEAT_BOUNDS_S
from streamgauge.stats.run_second import NameSecond
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.stream_quantities import DISTRIBUTIONS
from streamgauge.stats.stream_stats import StreamStats
from streamgauge.stats.uncertainty import uncertain_percentiles
from streamgauge.verdict.exit_status import ExitStatus
from streamgauge.verdict.trust import Trust

#: Seconds over which the present rate of chunks is a mean.
RATE_OVER_S = 5
#: The tab has a row for each of the names with the most chunks; all others share one.
MOST_ROWS = 50
#: A chart of the page has at most so many points, so that the browser holds as much after hours as after minutes.
MOST_POINTS = 240
#: A point may still change for so many seconds: reports of workers come late.
CHANGES_S = 10
_QUANTILES = {"p50": 0.5, "p99": 0.99}
_START_DELAY = DISTRIBUTIONS["start_delay"]

#: Between a number and its unit: Locust's table breaks lines at blanks.
_NO_BREAK = "\N{NO-BREAK SPACE}"

_TONES: dict[Trust, str] = {"trusted": "good", "degraded": "doubt", "invalid": "bad"}

Row = dict[str, str]


def rows(run_report: RunReport) -> list[Row]:
    """Return one row for each name, those with the most chunks first."""
    part = run_report.measured_run.part
    counted = [(key, stats) for key, stats in part.all_stats.items() if stats.counted]
    counted.sort(key=lambda item: -item[1].chunks)
    whole = run_report.run_stats.all_stats  # a stream under way may have begun in the warm-up
    found = [
        {"name": key[0], "protocol": key[1], **_cells(stats, whole[key].active, _chunks_per_s(run_report, key))}
        for key, stats in counted[:MOST_ROWS]
    ]
    if others := counted[MOST_ROWS:]:
        pooled = StreamStats()
        for _, stats in others:
            pooled.merge(stats)
        active = sum(whole[key].active for key, _ in others)
        found.append({"name": f"({len(others)} other names)", "protocol": "", **_cells(pooled, active, None)})
    return found


def _cells(stats: StreamStats, active: int, chunks_per_s: float | None) -> Row:
    cells = {
        "started": number(stats.started),
        "active": number(active),
        "outcomes": ", ".join(f"{number(times)} {outcome}" for outcome, times in ordered(stats.outcomes).items()),
        "failed": number(stats.failed),
        "chunks_per_s": NONE if chunks_per_s is None else rate(chunks_per_s),
        "chunks": number(stats.chunks),
        "body": size(stats.bytes),
        "stalls": number(stats.stalls),
    }
    for each in SHOWN_TIMES:
        cells |= _percentiles(each, stats)
    cells |= _percentiles(_START_DELAY, stats, ("p99",))
    return {key: text.replace(" ", _NO_BREAK).replace(f",{_NO_BREAK}", ", ") for key, text in cells.items()}


def _percentiles(distribution: Distribution, stats: StreamStats, names: Iterable[str] = _QUANTILES) -> Row:
    times, quantiles = getattr(stats, distribution.field), {name: _QUANTILES[name] for name in names}
    values_s = times.all.quantiles_s(quantiles.values())
    marked = uncertain_percentiles(times, quantiles)
    scarce = missing(times.all.count, quantiles)
    return {
        f"{distribution.key}_{percentile}": SCARCE * (percentile in scarce)
        + "≈ " * (percentile in marked)
        + duration(value_s)
        for percentile, value_s in zip(quantiles, values_s, strict=True)
    }


def _chunks_per_s(run_report: RunReport, key: Key) -> float:
    """Return the chunks of a name per second, over the last seconds that every process has reported."""
    run_stats, end_s = run_report.run_stats, run_report.settled_s
    begin_s = max(0, end_s - RATE_OVER_S)
    seconds = [run_stats.seconds[t_s] for t_s in range(begin_s, end_s) if t_s in run_stats.seconds]
    return sum(second.chunks_by.get(key, 0) for second in seconds) / max(1, end_s - begin_s)


def charts_data(run_report: RunReport, name: str, since_s: int, step_s: int, width_s: int) -> dict[str, Any]:
    """Return what the charts show from ``since_s`` on.

    ``step_s`` and ``width_s`` are how many seconds the page's points and columns cover. Where these have become other
    numbers, everything is returned. ``name`` is one of ``names``, or empty for all
    of them together.
    """
    run_stats, history = run_report.run_stats, run_report.history
    seconds = run_report.settled_s
    step = max(1, math.ceil(seconds / MOST_POINTS))
    whole = step != step_s or history.width_s != width_s
    from_s = 0 if whole else max(0, since_s - CHANGES_S)
    from_s -= from_s % math.lcm(step, history.width_s)
    lines = sorted(run_stats.lines())
    line = next((key for key in lines if _label(key) == name), None)
    points = thinned(_points(run_stats, range(from_s, seconds), line), step)
    columns = [(t_s, column) for t_s, column in history.since(from_s) if t_s < seconds]
    outcomes = ordered(sum((column.outcomes for _, column in columns), Counter()))
    return {
        "from_s": from_s,
        "step_s": step,
        "width_s": history.width_s,
        "names": [_label(key) for key in lines] if len(lines) > 1 else [],
        "points": {
            "t_s": [point["t_s"] for point in points],
            **point_values(points),
            **_users(run_report, points, step),
        },
        "shape": _shape(run_report),
        "columns": {
            "t_s": [t_s for t_s, _ in columns],
            "lag_p99": [column.worst_lag_s for _, column in columns],
            "cpu": [column.cpu_max for _, column in columns],
            "outcomes": {
                outcome: [column.outcomes[outcome] / history.width_s for _, column in columns] for outcome in outcomes
            },
            "intervals": [sorted(column.counts(line).items()) for _, column in columns],
        },
        "heat_bounds_s": HEAT_BOUNDS_S,
        "spans": _spans(run_report),
    }


def _spans(run_report: RunReport) -> list[dict[str, Any]]:
    """Return the parts that the charts shade: the warm-up and, once it is known, the steady window."""
    measured, fills = run_report.measured_run, FILLS
    found = [(fills["warm-up"], 0, measured.from_s)] if measured.from_s else []
    if measured.steady is not None and measured.steady.window_s is not None:
        found.append((fills["steady"], *measured.steady.window_s))
    return [{"fill": fill, "from_s": from_s, "to_s": to_s} for fill, from_s, to_s in found]


def _users(run_report: RunReport, points: Iterable[TimelinePoint], step_s: int) -> dict[str, list[int | None]]:
    """Return the number of users at each point; empty for a run without a shape of users."""
    shape = run_report.shape
    if shape is None or shape.plan.unit != "users":
        return {}
    return {"users": [shape.most_users(int(point["t_s"]), step_s) for point in points]}


def _shape(run_report: RunReport) -> dict[str, Any] | None:
    """Return the curve of the shape, over the whole run, and its unit."""
    shape = run_report.shape
    return None if shape is None else {"unit": shape.plan.unit, **shape.curve(run_report.settled_s)}


def _label(key: Key) -> str:
    return f"{key[0]} ({key[1]})"


def _points(run_stats: RunStats, seconds: Iterable[int], line: Key | None) -> list[TimelinePoint]:
    points = []
    for t_s in seconds:
        second = run_stats.seconds.get(t_s)
        if second is None:
            continue
        if line is None:
            points.append(timeline_point(t_s, second))
        else:
            named = run_stats.names(second).get(line, NameSecond())
            figures = point_figures(named, named.times)
            points.append(cast("TimelinePoint", {"t_s": t_s, "active": second.active, **figures}))
    return points


def _at(run_report: RunReport) -> str:
    """Return where a run is in its shape, while it lasts."""
    shape, last_s = run_report.shape, run_report.run_stats.last_s
    if shape is None or run_report.closed:
        return ""
    return shape.words(last_s, shape.users[max(shape.users)] if shape.users else 0)


def state_of(run_report: RunReport | None) -> dict[str, Any]:
    """Return what the top of the page says: the state, the verdict so far and why, and the key figures."""
    if run_report is None:
        return {"state": "waiting", "run_id": ""}
    final = run_report.final_verdict
    trust, reasons = (final["trust"], final["reasons"]) if final else run_report.verdict_so_far()
    all_stats = run_report.run_stats.all_stats.values()  # streams under way may have begun in a warm-up
    judged = run_report.measured_run.part.all_stats.values()
    warming_up = run_report.measured_run.warming_up
    measured = run_report.closed or (not warming_up and any(stats.chunks or stats.failed for stats in all_stats))
    return {
        "state": "finished" if run_report.closed else "running",
        "run_id": run_report.run_id,
        "host": run_report.shown_host,
        "users": number(run_report.users),
        "shape": "" if run_report.shape is None else run_report.shape.plan.shape.text.replace(",", ", "),
        "at": _at(run_report),
        "lasted": duration(max(0, run_report.run_stats.last_s + 1)),
        "active": number(sum(stats.active for stats in all_stats)),
        "failed": number(sum(stats.failed for stats in judged)),
        "arrivals": _arrivals(run_report),
        "tone": _tone(trust, final) if measured else "",
        "verdict": _verdict(trust, final) if measured else "warming up" if warming_up else "measuring",
        "means": TRUST_MEANS[trust] if measured else _waiting(run_report),
        "steady": _steady(run_report),
        "reasons": reasons if measured else [],
        "slo": _slo(run_report),
    }


def _tone(trust: Trust, final: Verdict | None) -> str:
    """Return how the verdict is coloured: ``good``, ``doubt`` or ``bad``, as in the report."""
    failed = final is not None and final["exit_code"] != ExitStatus.PASSED
    return "bad" if failed else _TONES[trust]


def _verdict(trust: Trust, final: Verdict | None) -> str:
    return f"{trust} so far" if final is None else f"{trust}, {judgement(final)}"


def _slo(run_report: RunReport) -> dict[str, Any]:
    """Return how the SLO rules stand, in all and one by one; no rules if the run has none."""
    rules, closed = run_report.slo_so_far(), run_report.closed
    return {
        "words": slo_text.in_the_end(rules) if closed else slo_text.so_far(rules),
        "failing": slo_text.failing(rules),
        "rules": [
            {
                "rule": rule["rule"],
                "state": slo_text.state(rule),
                "words": slo_text.marked(rule) if closed else slo_text.marked_so_far(rule),
                "observed": slo_text.observed(rule),
                "margin": slo_text.margin(rule),
                "reason": rule["reason"] if closed else "",
            }
            for rule in rules
        ],
    }


def _arrivals(run_report: RunReport) -> str:
    """Return what became of the arrivals of an open model; empty in the closed model."""
    part = run_report.measured_run.part
    if run_report.open_model is None:
        return ""
    late, dropped = number(part.late_starts), number(part.dropped_arrivals)
    return f"{some(part.scheduled_arrivals, 'arrival')}, {late} late, {dropped} dropped"


def _waiting(run_report: RunReport) -> str:
    """Say why nothing is judged yet."""
    measured = run_report.measured_run
    if measured.warming_up:
        return f"The run is warming up: its figures count from {measured.from_s} s on."
    return "No chunk has arrived yet."


def _steady(run_report: RunReport) -> str:
    """Say whether the run was steady, once it is over."""
    steady = run_report.measured_run.steady
    if steady is None:
        return ""
    if steady.window_s is None:
        return f"No steady state: {steady.reason}."
    return f"Steady from {steady.window_s[0]} s to {steady.window_s[1]} s."
