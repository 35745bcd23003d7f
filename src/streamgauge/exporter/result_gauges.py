"""The results of finished runs as gauges: values of ``result.json``, of the last few runs and the busiest names."""

from collections.abc import Iterator

from streamgauge.exporter.readings import Readings, RunLabels
from streamgauge.report.result import MetricSummary, NamedStreams, Result
from streamgauge.report.summary import summary_of
from streamgauge.report.sums import count_of, counted_s, failed, failure_ratio
from streamgauge.stats.names import OTHER_NAMES
from streamgauge.stats.stream_quantities import COUNTERS, DISTRIBUTIONS
from streamgauge.stats.uncertainty import QUANTILES

#: A run has 34 series per name, at most 53: with these limits a page has at most 5300 of them. It has one more for each
#: SLO rule, whose text is a label: ``MOST_RULES`` limits their number.
RUNS, NAMES = 5, 20
STATS = ("mean", "min", "max", *QUANTILES)
_TIMES = tuple(each for each in DISTRIBUTIONS.values() if not each.internal)
#: The counters with a column in the tables: plain numbers, numbers with a unit, and shares.
_COLUMNS = tuple(each for each in COUNTERS.values() if each.heading)
_PLAIN = tuple(each for each in _COLUMNS if not each.unit and not each.share_of)
_SHARES = tuple(each for each in _COLUMNS if each.share_of)


def result_readings(labels: RunLabels, result: Result) -> Readings:
    """Return the gauges of one run, of the ``NAMES`` names with the most streams; the other names are only counted."""
    run, run_id = result["run"], (labels.run_id,)
    shown = sorted(result["streams"], key=lambda streams: -streams["started"])[:NAMES]
    named = sum(streams["name"] != OTHER_NAMES for streams in result["streams"]) + run.get("names_left_out", 0)
    readings: Readings = {
        "stream_client_result_info": [((*labels, str(run["users"]), result["verdict"]["trust"]), 1)],
        "stream_client_result_duration_seconds": [(run_id, run["duration_s"])],
        "stream_client_result_warm_up_seconds": [(run_id, result["warm_up"]["until_s"] if "warm_up" in result else 0)],
        "stream_client_result_steady_seconds": [(run_id, _steady_s(result))],
        "stream_client_result_users": [(run_id, run["users"])],
        "stream_client_result_names_left_out": [(run_id, named - sum(each["name"] != OTHER_NAMES for each in shown))],
    }
    if rules := result["verdict"]["slo"]:
        readings["stream_client_result_slo_passed"] = [((*run_id, rule["rule"]), int(rule["passed"])) for rule in rules]
    for streams in shown:
        key = (*run_id, streams["name"], streams["protocol"])
        for metric, more, value in _of_name(streams, counted_s(run)):
            readings.setdefault(f"stream_client_result_{metric}", []).append(((*key, *more), value))
    return readings


def _steady_s(result: Result) -> int:
    """Return the length of the steady window; 0 if there is none."""
    window = result.get("steady_window")
    return window["to_s"] - window["from_s"] if window is not None and window["to_s"] is not None else 0


def _of_name(streams: NamedStreams, over_s: float) -> Iterator[tuple[str, tuple[str, ...], float]]:
    """Yield each metric with its own labels and its value; leave out metrics without a value."""
    counts = {
        "streams_started": streams["started"],
        "streams_failed": failed(streams["outcomes"]),
        **{each.field: count for each in _PLAIN if (count := count_of(each, streams)) or not each.optional},
    }
    yield "body_bytes", (), streams["bytes"]
    for name, count in counts.items():
        yield "counts", (name,), count
    if over_s > 0:
        yield "per_second", ("streams",), streams["started"] / over_s
        yield "per_second", ("chunks",), streams["chunks"] / over_s
    tokens = streams.get("tokens_per_second")
    if tokens and tokens["in_all"] is not None:
        yield "per_second", ("tokens",), tokens["in_all"]
    if (share := failure_ratio(streams["outcomes"])) is not None:
        yield "ratio", ("failed",), share
    for each in _SHARES:
        if count_of(COUNTERS[each.share_of], streams):
            yield "ratio", (each.field,), count_of(each, streams)
    if streams["started"]:
        yield "ratio", ("stalls_per_stream",), streams["stalls"] / streams["started"]
    for each_time in _TIMES:
        summary = summary_of(each_time, streams)
        for stat, value in _statistics(summary) if summary is not None else ():
            yield "seconds", (each_time.key, stat), value


def _statistics(summary: MetricSummary) -> Iterator[tuple[str, float]]:
    for stat in STATS:
        value: float | None = summary[stat]  # type: ignore[literal-required]
        if value is not None:
            yield stat, value
