"""Compare runs: two runs by their ids, each over its own time, and the older laid on the newer."""

from grafanalib import core

from monitoring.config import NO_RUN
from monitoring.dashboards.families import (
    CLIENT_ACTIVE,
    CLIENT_CHUNKS,
    CLIENT_DURATION,
    CLIENT_FINISHED,
    CLIENT_INTERVAL,
    CLIENT_STARTED,
    CLIENT_TTFC,
    COALESCED,
    DELAY,
    GENERATOR_LAG,
    RUN_INFO,
    STALLS,
)
from monitoring.dashboards.runs import runs_table
from monitoring.panels import Json, chart
from monitoring.schema import Row, dashboard
from monitoring.tables import Column, Table, table
from monitoring.variables import GENERATORS, NEWEST_FIRST, OLDEST_FIRST, names, of_targets, pick, runs, targets_of
from monitoring.windows import (
    Course,
    Run,
    change,
    named,
    window_variables,
)

UID = "streamgauge-compare-runs"

BASE = Run("base")
NEW = Run("new")
_INFO = of_targets(RUN_INFO)


def build() -> Json:
    """The dashboard as Grafana reads it."""
    return dashboard(
        UID,
        "Compare runs",
        "Two load tests by their ids, each over its own time. Choose a time range that holds both.",
        [
            Row("Runs", 6, (24,), [runs_table(_ADVICE)]),
            Row("What changed", 9, (12,), [_times(), _rates()]),
            Row(
                "By name",
                6,
                (12,),
                [_by_name("Time to first chunk", CLIENT_TTFC), _by_name("Chunk interval", CLIENT_INTERVAL)],
            ),
            Row("The base laid on the new run", 9, (12,), _courses()),
        ],
        [
            *targets_of(GENERATORS),
            names(),
            runs(),
            pick("base", "Base run", _INFO, "run_id", OLDEST_FIRST),
            pick("new", "New run", _INFO, "run_id", NEWEST_FIRST),
            *window_variables(BASE, NEW),
        ],
        since="now-1h",
    )


_ADVICE = (
    "Compare two of the same scenario, host and length, both trusted; else the difference may be the load's or the "
    "generator's."
)
_CHANGE_COLOURS = {"decimals": 1}


def _compared(base: str, new: str, unit: str) -> list[Column]:
    return [
        Column("Base", base, unit),
        Column("New", new, unit),
        Column("Change", change(new, base), "percentunit", None, _CHANGE_COLOURS),
    ]


def _times() -> Table:
    def rows(run: Run) -> str:
        return named(
            {
                "time to first chunk p50": run.quantile(0.5, CLIENT_TTFC),
                "time to first chunk p90": run.quantile(0.9, CLIENT_TTFC),
                "time to first chunk p99": run.quantile(0.99, CLIENT_TTFC),
                "chunk interval p50": run.quantile(0.5, CLIENT_INTERVAL),
                "chunk interval p90": run.quantile(0.9, CLIENT_INTERVAL),
                "chunk interval p99": run.quantile(0.99, CLIENT_INTERVAL),
                "chunk delay p99": run.quantile(0.99, DELAY),
                "stream duration, mean": run.mean(CLIENT_DURATION),
                "generator lag p99": run.quantile(0.99, GENERATOR_LAG),
            },
            "quantity",
        )

    return table(
        "Times",
        f"`{CLIENT_TTFC}`, `{CLIENT_INTERVAL}`, `{DELAY}`, `{CLIENT_DURATION}`, `{GENERATOR_LAG}`: quantiles of each "
        "whole run, all chosen names pooled. Interpolated within buckets: a change smaller than a bucket's width may "
        "be none. A generator lag far above 10 ms says to trust a run less.",
        {"quantity": "Quantity"},
        _compared(rows(BASE), rows(NEW), "s"),
        sort_by="Quantity",
        no_value=NO_RUN,
    )


def _rates() -> Table:
    def rows(run: Run) -> str:
        return named(
            {
                "streams per second": run.per_second(CLIENT_STARTED),
                "chunks per second": run.per_second(CLIENT_CHUNKS),
                "failed share of streams": run.failed(),
                "stalls per stream": run.ratio(STALLS, CLIENT_STARTED),
                "coalesced share of chunks": run.ratio(COALESCED, CLIENT_CHUNKS),
            },
            "quantity",
        )

    return table(
        "Load and failures",
        f"`{CLIENT_STARTED}`, `{CLIENT_CHUNKS}`, `{CLIENT_FINISHED}`, `{STALLS}`, `{COALESCED}`: means of each whole "
        "run. The load must be the same for the times beside it to compare; in a closed model a slower service "
        "starts fewer streams. A change from nothing is left empty.",
        {"quantity": "Quantity"},
        _compared(rows(BASE), rows(NEW), "none"),
        sort_by="Quantity",
        no_value=NO_RUN,
    )


def _by_name(title: str, metric: str) -> Table:
    by = ("name", "protocol")
    return table(
        f"{title}, p99 by name",
        f"`{metric}`: the p99 of each whole run, by name. One name that changed alone is that endpoint's; all of them "
        "together is the service, the machine or the load.",
        {"name": "Name", "protocol": "Protocol"},
        _compared(BASE.quantile(0.99, metric, by), NEW.quantile(0.99, metric, by), "s"),
        no_value=NO_RUN,
    )


def _courses() -> list[core.Panel]:
    base, new = Course(BASE, "shift"), Course(NEW)

    def over_each_other(
        title: str, text: str, queries: tuple[str, str], unit: str, limit_of: str | None = None
    ) -> core.TimeSeries:
        lines = [(queries[0], "base $base"), (queries[1], "new $new")]
        return chart(title, text, lines, unit, limit_of, noValue=NO_RUN)

    moved = "The base is moved in time so that both start together; the axis shows the new run's time."
    return [
        over_each_other(
            "Active streams",
            f"`{CLIENT_ACTIVE}`: the load of both runs. {moved} Lines that differ here make all the others differ, and "
            "that is not the service's doing.",
            (base.level(CLIENT_ACTIVE), new.level(CLIENT_ACTIVE)),
            "short",
        ),
        over_each_other(
            "Chunks",
            f"`{CLIENT_CHUNKS}`: chunks per second in both runs. {moved} A lower plateau under the same load is a "
            "service that holds less.",
            (base.rate(CLIENT_CHUNKS), new.rate(CLIENT_CHUNKS)),
            "cps",
        ),
        over_each_other(
            "Time to first chunk, p99",
            f"`{CLIENT_TTFC}`: both runs over time. {moved} A difference at the start alone is a cold start; one that "
            "stays is the change that you look for.",
            (base.quantile(0.99, CLIENT_TTFC), new.quantile(0.99, CLIENT_TTFC)),
            "s",
            CLIENT_TTFC,
        ),
        over_each_other(
            "Chunk interval, p99",
            f"`{CLIENT_INTERVAL}`: both runs over time. {moved} Where the lines part as the load grows, one of the two "
            "reached its capacity there.",
            (base.quantile(0.99, CLIENT_INTERVAL), new.quantile(0.99, CLIENT_INTERVAL)),
            "s",
            CLIENT_INTERVAL,
        ),
    ]
