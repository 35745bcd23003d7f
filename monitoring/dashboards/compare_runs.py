"""Compare runs: the results of two runs side by side, and the base run's charts over the new run's."""

from collections.abc import Callable

from grafanalib import core

from monitoring.config import NO_RUN
from monitoring.dashboards import families as m
from monitoring.dashboards.slo_rules import rules_of_both
from monitoring.panels import TRUST_WORDS, Json, chart, per_second, words
from monitoring.promql.results import BASE, NEW, difference, different, of_each_run, of_run, ratio, same
from monitoring.promql.runs import RunSeries, start_difference
from monitoring.promql.text import any_of
from monitoring.schema import Row, dashboard
from monitoring.tables import Column, Table, table
from monitoring.variables import (
    GENERATORS,
    NEWEST_FIRST,
    OLDEST_FIRST,
    computed,
    names,
    of_targets,
    pick,
    runs,
    targets_of,
)

UID = "streamgauge-compare-runs"

_STREAM = {"name": "Name", "protocol": "Protocol"}
_SHOWN = any_of("stat", ("mean", "p50", "p90", "p99", "max"))


def build() -> Json:
    """Build the dashboard."""
    of_results = of_targets(m.RESULT_INFO)
    return dashboard(
        UID,
        "Compare runs",
        "Two finished load tests by their ids. Choose a time range that holds both.",
        [
            Row("Finished runs", 6, (24,), [_finished()]),
            Row("Can these runs be compared?", 4, (5, 6, 6, 7), _comparable()),
            Row("SLO rules", 5, (24,), [rules_of_both()]),
            Row("Times", 12, (24,), [_times()]),
            Row("Load and failures", 8, (12,), _amounts()),
            Row("Both runs over time", 9, (12,), _courses()),
        ],
        [
            *targets_of(GENERATORS),
            names(),
            runs(),
            pick(BASE, "Base run", of_results, "run_id", OLDEST_FIRST),
            pick(NEW, "New run", of_results, "run_id", NEWEST_FIRST),
            computed("shift", start_difference(BASE, NEW)),
        ],
        since="now-1h",
    )


def _finished() -> Table:
    return table(
        "Finished runs",
        f"`{m.RESULT_INFO}`, `{m.RESULT_USERS}`, `{m.RESULT_DURATION}`, `{m.RESULT_WARM_UP}`, `{m.RESULT_STEADY}`, "
        f"`{m.RESULT_COUNTS}`, `{m.RESULT_PER_SECOND}`, `{m.RESULT_LEFT_OUT}`: the results of each load test in the "
        "time range, newest first, without their warm-up. Steady is the length of the steady window, 0 if there was "
        "none. Select two trusted runs of the same scenario, host and users as base and new above. Of a run with many "
        "names, only the 20 with the most streams are exported; the last column counts the others.",
        {"run_id": "Run", "scenario": "Scenario", "host": "Host", "trust": "Measurement"},
        [
            Column("Users", of_each_run(m.RESULT_USERS), "short"),
            Column("Run length", of_each_run(m.RESULT_DURATION), "s"),
            Column("Warm-up", of_each_run(m.RESULT_WARM_UP), "s"),
            Column("Steady", of_each_run(m.RESULT_STEADY), "s"),
            Column("Streams", of_each_run(m.RESULT_COUNTS, any_of("metric", ["streams_started"])), "short"),
            Column("Failed", of_each_run(m.RESULT_COUNTS, any_of("metric", ["streams_failed"])), "short"),
            Column("Chunks/s", of_each_run(m.RESULT_PER_SECOND, any_of("metric", ["chunks"])), per_second("chunks")),
            Column("Names left out", of_each_run(m.RESULT_LEFT_OUT), "short"),
        ],
        sort_by="Run",
        largest_first=True,
        no_value=NO_RUN,
        mappings={"Measurement": TRUST_WORDS},
    )


def _comparable() -> list[core.Panel]:
    def alike(title: str, label: str, warning: str, why: str) -> core.Stat:
        return words(
            title,
            f"`{m.RESULT_INFO}`: {why}",
            (same(label), f"Same: {{{{{label}}}}}"),
            (different(label), f"{warning}: base {{{{base}}}}, new {{{{new}}}}"),
        )

    trusted = any_of("trust", ["trusted"])
    return [
        alike(
            "Users",
            "users",
            "Different load",
            "the highest number of users of each run. With different numbers of users, the loads differ, and so do "
            "the times below.",
        ),
        alike(
            "Scenario",
            "scenario",
            "Different load",
            "the locustfiles of each run. Times of different scenarios do not show a change in the service. Paths "
            "and bodies that were set by options are not known here.",
        ),
        alike(
            "Host",
            "host",
            "Different service",
            "the service that each run was against. Different hosts are right for a comparison of two places, and "
            "wrong for a comparison of two versions.",
        ),
        words(
            "Measurement",
            f"`{m.RESULT_INFO}`: whether both measurements are trusted. Without trust, delays may be the load "
            "generator's own; result.json gives the reasons. Draw no conclusions from such a run.",
            (same("trust", trusted), "Both are trusted"),
            (different("trust", trusted), "Do not compare: base {{base}}, new {{new}}"),
        ),
    ]


def _compared(name: str, by: tuple[str, ...], unit: str, *matchers: str) -> list[Column]:
    return [
        Column("Base", of_run(BASE, name, by, *matchers), unit),
        Column("New", of_run(NEW, name, by, *matchers), unit),
        Column("Difference", difference(name, by, *matchers), unit),
        Column("Ratio", ratio(name, by, *matchers), "none", None, {"decimals": 3}),
    ]


def _times() -> Table:
    return table(
        "Times",
        f"`{m.RESULT_SECONDS}`: each time of both runs as in result.json, their difference and their ratio; the "
        "largest ratio first. A ratio of 1.05 is 5 % slower. Small differences may be random: check with `streamgauge "
        "report` and a second run of each. A row with one side alone is a name that only one run has. Filter by name, "
        "metric or statistic in the headings.",
        {**_STREAM, "metric": "Metric", "stat": "Statistic"},
        _compared(m.RESULT_SECONDS, ("name", "protocol", "metric", "stat"), "s", _SHOWN),
        sort_by="Ratio",
        largest_first=True,
        no_value=NO_RUN,
    )


def _amounts() -> list[core.Panel]:
    def compared(title: str, text: str, name: str, unit: str, more: dict[str, str]) -> Table:
        labels = _STREAM | more
        columns = _compared(name, tuple(labels), unit)
        return table(title, f"`{name}`: {text}", labels, columns, sort_by="Name", no_value=NO_RUN)

    metric = {"metric": "What"}
    return [
        compared(
            "Counts",
            "streams started and failed, chunks and stalls of each whole run. A longer run has more of everything: for "
            "runs of different length compare rates and shares instead.",
            m.RESULT_COUNTS,
            "short",
            metric,
        ),
        compared(
            "Per second",
            "streams, chunks and tokens per second over each whole run. In a closed model, where each user waits for "
            "its stream, a slower service gets fewer streams per second.",
            m.RESULT_PER_SECOND,
            "short",
            metric,
        ),
        compared(
            "Shares",
            "the share of streams that failed, the share of coalesced chunks, and stalls per stream. The tables of "
            "times leave out failed streams, so compare failures first.",
            m.RESULT_RATIO,
            "short",
            metric,
        ),
        compared(
            "Body bytes",
            "body bytes of each whole run. If the chunks are equal and the bytes are not, the service sends different "
            "chunks, or compresses them differently.",
            m.RESULT_BYTES,
            "bytes",
            {},
        ),
    ]


def _courses() -> list[core.Panel]:
    def both(title: str, name: str, text: str, query: Callable[[RunSeries, str], str], unit: str) -> core.TimeSeries:
        moved = "The base is moved in time so that both start together; the axis has the new run's time."
        base, new = RunSeries(BASE, "shift"), RunSeries(NEW)
        lines = [(query(base, name), "base $base"), (query(new, name), "new $new")]
        limits = name if unit == "s" else None
        return chart(title, f"`{name}`: {text} {moved}", lines, unit, limits, noValue=NO_RUN)

    def p99(run: RunSeries, name: str) -> str:
        return run.quantile(0.99, name)

    return [
        both(
            "Active streams",
            m.CLIENT_ACTIVE,
            "the load of both runs. If the lines differ here, all others differ too, and the service is not the cause.",
            RunSeries.gauge_sum,
            "short",
        ),
        both(
            "Chunks",
            m.CLIENT_CHUNKS,
            "chunks per second in both runs. A lower plateau under the same load means that the service has less "
            "capacity.",
            RunSeries.rate,
            per_second("chunks"),
        ),
        both(
            "Time to first chunk, p99",
            m.CLIENT_TTFC,
            "both runs over time. A difference only at the start is a cold start; a lasting one is a change in the "
            "service.",
            p99,
            "s",
        ),
        both(
            "Chunk interval, p99",
            m.CLIENT_INTERVAL,
            "both runs over time. Where the lines separate as the load grows, one of the runs reached the service's "
            "capacity.",
            p99,
            "s",
        ),
    ]
