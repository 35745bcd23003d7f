"""Every query of every panel, variable and annotation, asked of a real Prometheus during a real run and after it."""

import math
from datetime import datetime
from itertools import pairwise

import pytest

from monitoring.config import SCRAPE_INTERVAL_S
from monitoring.dashboards import DASHBOARDS, client_against_server, compare_runs, load_test, overview, server
from tools.preview.queries import PanelQueries
from tools.preview.variables import options

pytestmark = pytest.mark.timeout(900)

POINTS = 700
BUILT = {dashboard["uid"]: dashboard for dashboard in (build() for build in DASHBOARDS)}
TARGETS = [
    pytest.param(dashboard, panel, target, id=f"{dashboard['title']}: {panel['title']} {target['refId']}")
    for dashboard in BUILT.values()
    for panel in dashboard["panels"]
    for target in panel.get("targets", ())
]
#: What has an answer after a run too: the app goes on, and the tables of runs look back.
GOES_ON = {
    "event_loop_lag_seconds",
    "stream_server_recorders",
    "http_server_request_duration_seconds",
    "process_",
    "ALERTS",
}
#: What only the streams of language models have, and this load has none.
OF_TOKENS = ("output_token", "prompt_tokens")
LOOKS_BACK = ("$__range", "[5m]")
#: The range that is plausible, by unit, for this app and this load. No time is longer than all of it took.
PLAUSIBLE = {
    "percentunit": (0, 1),
    "reqps": (0, 100),
    "binBps": (0, 1e8),
    "bytes": (1, 2**21),
    "short": (0, 100),
    "none": (0, 1e4),
    "dateTimeAsIso": (1.7e12, 5e12),
}
#: Rates of any kind; and what has wider bounds, by the metric.
A_RATE = (0, 1e5)
WIDER = {"process_cpu": (0, 16), "process_resident": (1e6, 1e10), "_result_": (-1e10, 1e10)}


def answers(live, dashboard, target, at_s):
    return live.asked(dashboard, at_s).answer(target, POINTS)


def unit(panel, target):
    """The unit that a target is shown in: in a table its column's own, and a heatmap's cells are rates."""
    defaults = panel["fieldConfig"]["defaults"]["unit"]
    if panel["type"] == "heatmap":
        return panel["options"]["cellValues"]["unit"]
    if panel["type"] != "table":
        return defaults
    renamed = panel["transformations"][1]["options"]["renameByName"]
    heading = renamed.get(f"Value #{target['refId']}", renamed.get("Value"))
    override = next(each for each in panel["fieldConfig"]["overrides"] if each["matcher"]["options"] == heading)
    return next(each["value"] for each in override["properties"] if each["id"] == "unit")


@pytest.mark.parametrize(("dashboard", "panel", "target"), TARGETS)
def test_a_query_has_plausible_answers_during_a_run(live, dashboard, panel, target):
    at_s = live.after_s if "_result_" in target["expr"] else live.during_s  # when both runs have one
    found = answers(live, dashboard, target, at_s)
    in_words = panel["options"].get("textMode") == "name"  # one query of two has an answer
    shares = panel["title"] == "Shares" and target["expr"].endswith("> 0)")  # a share of nothing has no ratio
    troubles = panel["title"] == "Arrivals of the open model" and target["refId"] != "A"  # none is late or dropped
    of_nothing = shares or troubles or "_wanted_" in target["expr"]  # neither run has a shape
    of_tokens = any(name in target["expr"] for name in OF_TOKENS)
    assert (
        found
        or of_nothing
        or of_tokens
        or (in_words and any(answers(live, dashboard, each, at_s) for each in panel["targets"]))
    )
    took_s = live.after_s - live.began_s
    plausible = PLAUSIBLE | {"s": (-took_s, took_s)}
    wider = [bounds for name, bounds in WIDER.items() if name in target["expr"]]
    low, high = wider[0] if wider else plausible.get(unit(panel, target), A_RATE)
    values = [value for series in found for value in series.values]
    assert all(low <= value <= high for value in values), (min(values), max(values))


@pytest.mark.parametrize(("dashboard", "panel", "target"), TARGETS)
def test_after_the_run_there_is_no_traffic_and_never_nan(live, dashboard, panel, target):
    found = answers(live, dashboard, target, live.after_s)
    assert not [value for series in found for value in series.values if not math.isfinite(value)]
    if any(name in target["expr"] for name in (*GOES_ON, *LOOKS_BACK)):
        return
    last = [series.values[-1] for series in found if series.times[-1] > live.after_s - SCRAPE_INTERVAL_S]
    if "histogram_quantile" in target["expr"] or " / " in target["expr"]:
        assert last == []
    assert set(last) <= {0}


@pytest.mark.parametrize("uid", BUILT)
def test_every_variable_offers_something(live, uid):
    asked = live.asked(BUILT[uid], live.during_s)
    for variable in BUILT[uid]["templating"]["list"]:
        if variable["type"] == "query":
            assert options(variable, live.source, asked.variables), variable["name"]


def test_variables_offer_the_routes_names_and_runs_that_there_are(live):
    asked = live.asked(BUILT[overview.UID], live.during_s)
    found = {each["name"]: each for each in BUILT[overview.UID]["templating"]["list"] if each["type"] == "query"}
    offered = {name: options(variable, live.source, asked.variables) for name, variable in found.items()}
    assert offered["job"] == ["app", "load"]
    assert offered["route"] == offered["name"] == ["/stream/sse"]
    assert offered["run"] == [result["run"]["id"] for result in live.results]


@pytest.mark.parametrize("uid", BUILT)
def test_starts_and_ends_of_runs_are_marked_where_they_were(live, uid):
    marks = live.asked(BUILT[uid], live.after_s).marks(BUILT[uid])
    found = {mark.text: mark.at_s for mark in marks}
    assert len(found) == 2 * len(live.results)
    for result in live.results:
        run_id = result["run"]["id"]
        assert found[f"{run_id} starts"] == pytest.approx(started_s(result), abs=1)
        earliest_s, latest_s = live.ends_s(result["run"])
        assert earliest_s <= found[f"{run_id} ends"] <= latest_s


def started_s(result):
    return datetime.fromisoformat(result["run"]["started_at"]).timestamp()


def test_a_run_that_goes_on_has_no_end_yet(live):
    marks = live.asked(BUILT[overview.UID], live.during_s).marks(BUILT[overview.UID])
    first, second = (result["run"]["id"] for result in live.results)
    assert {mark.text for mark in marks if mark.text.endswith(" starts")} == {f"{first} starts", f"{second} starts"}
    ended = {mark.text for mark in marks if mark.text.endswith(" ends")}
    # where a scrape was missed, a run cannot be told from one that has ended
    begun_s = started_s(live.results[1])
    missed = any(up == 0 and begun_s < at_s < live.during_s for at_s, up in live.samples('up{job="load"}'))
    assert {f"{first} ends"} <= ended <= {f"{first} ends"} | ({f"{second} ends"} if missed else set())


def stat(live, uid, title):
    """What a stat panel says during the run."""
    panel = next(panel for panel in BUILT[uid]["panels"] if panel["title"] == title and panel["type"] == "stat")
    asked: PanelQueries = live.asked(BUILT[uid], live.during_s)
    (line,) = asked.lines(panel, POINTS)
    return line.series.values[0]


def test_users_workers_and_streams_of_four_workers_are_added_up(live):
    assert stat(live, load_test.UID, "Users") == 8
    assert stat(live, load_test.UID, "Workers") == 4
    assert 1 <= stat(live, load_test.UID, "Active streams") <= 8
    assert 1 <= stat(live, server.UID, "Active streams") <= 8


def chart(uid, title):
    return next(panel for panel in BUILT[uid]["panels"] if panel["title"] == title and panel["type"] == "timeseries")


def test_the_rates_of_both_sides_come_to_the_chunks_that_there_were_though_each_has_four_processes(live):
    asked = live.asked(BUILT[client_against_server.UID], live.after_s)
    step_s = asked.variables.window.interval_s(POINTS)
    lines = asked.lines(chart(client_against_server.UID, "Chunks"), POINTS)
    areas = {line.legend: sum(line.series.values) * step_s for line in lines}
    assert areas.keys() == {"server", "client"}
    for side, area in areas.items():
        least, most = grown(live.samples(f'stream_{side}_chunks_total{{protocol="sse"}}'))
        assert 0.8 * least <= area <= 1.2 * most, side


def grown(samples):
    """What a counter grew by, between scrapes that followed each other in time, and between all.

    A rate does not see what was counted before the first scrape, nor all of what was while scrapes were missed.
    """
    steps = [
        (at_s - before_s, value - (before if before <= value else 0))
        for (before_s, before), (at_s, value) in pairwise(samples)
    ]
    return sum(each for apart_s, each in steps if apart_s < 1.5 * SCRAPE_INTERVAL_S), sum(each for _, each in steps)


def test_each_worker_s_lag_is_a_line_of_its_own(live):
    asked = live.asked(BUILT[load_test.UID], live.after_s)
    legends = {line.legend for line in asked.lines(chart(load_test.UID, "Generator lag by worker, p99"), POINTS)}
    assert len(legends) == 1 + 4


def test_both_runs_are_in_the_table_of_runs_newest_first(live):
    dashboard = BUILT[load_test.UID]
    panel = next(panel for panel in dashboard["panels"] if panel["title"] == "Runs" and panel["type"] == "table")
    rows = live.asked(dashboard, live.after_s).table(panel, POINTS).rows
    assert [row["Run"] for row in rows] == [result["run"]["id"] for result in reversed(live.results)]
    words = {"trusted": 2, "degraded": 1, "invalid": 0}
    for row, result in zip(rows, reversed(live.results), strict=True):
        assert row["Measurement"] == words[result["verdict"]["trust"]]
        earliest_s, latest_s = live.ends_s(result["run"])
        assert earliest_s <= started_s(result) + row["Run length"] <= latest_s


def compared(live, title):
    """A panel of Compare runs after both."""
    dashboard = BUILT[compare_runs.UID]
    panel = next(panel for panel in dashboard["panels"] if panel["title"] == title and panel["type"] != "row")
    return live.asked(dashboard, live.after_s), panel


@pytest.mark.parametrize("title", ["Users", "Scenario", "Host"])
def test_two_runs_of_the_same_load_are_said_to_be(live, title):
    asked, panel = compared(live, title)
    (line,) = asked.lines(panel, POINTS)
    about = live.results[0]["run"]
    expected = {"Users": str(about["users"]), "Scenario": "sse", "Host": about["host"]}
    assert (line.legend, line.series.values) == (f"Same: {expected[title]}", [1])


def test_runs_that_are_not_trusted_are_said_to_be(live):
    asked, panel = compared(live, "Measurement")
    (line,) = asked.lines(panel, POINTS)
    base, new = (result["verdict"]["trust"] for result in live.results)
    both = base == new == "trusted"
    assert line.legend == ("Both are trusted" if both else f"Do not compare: base {base}, new {new}")


def test_finished_runs_are_in_the_table_with_their_load(live):
    asked, panel = compared(live, "Finished runs")
    rows = asked.table(panel, POINTS).rows
    assert [row["Run"] for row in rows] == [result["run"]["id"] for result in reversed(live.results)]
    for row, result in zip(rows, reversed(live.results), strict=True):
        assert (row["Users"], row["Run length"]) == (result["run"]["users"], result["run"]["duration_s"])
        assert row["Measurement"] == result["verdict"]["trust"]
        assert row["Streams"] == sum(each["started"] for each in result["streams"])


def test_what_fires_is_in_the_table_of_alerts(live):
    dashboard = BUILT[overview.UID]
    panel = next(panel for panel in dashboard["panels"] if panel["title"] == "Alerts" and panel["type"] == "table")
    rows = live.asked(dashboard, live.during_s).table(panel, POINTS).rows
    (row,) = (row for row in rows if row["Alert"] == "AlwaysFires")
    assert (row["State"], row["Severity"], row["Job"]) == ("firing", "info", "app")
    assert live.began_s <= row["Since"] / 1000 <= live.during_s


def test_every_worker_of_the_app_says_what_it_uses(live):
    dashboard = BUILT[server.UID]
    for title in ("CPU", "Memory", "Open file descriptors"):
        assert len(live.asked(dashboard, live.during_s).lines(chart(server.UID, title), POINTS)) == 4
