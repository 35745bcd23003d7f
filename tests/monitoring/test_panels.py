"""Every panel says what it shows and how to read it, in the form that Grafana reads today."""

import re

import pytest
from grafana_foundation_sdk.models import units

from monitoring.config import LIMITS, NO_ALERT, NO_PROCESS, NO_RULES, NO_RUN, NO_TRAFFIC, NO_VERDICT, OBJECTIVES, Floor
from monitoring.dashboards import DASHBOARDS
from monitoring.panels import TRUST, TRUST_WORDS, explained, steps
from streamgauge.asgi.app_marks import OUTCOMES
from streamgauge.catalog import CATALOG
from streamgauge.stats.outcome import Outcome

#: Grafana's unit identifiers, as the foundation SDK lists them.
UNITS = {value for value in vars(units).values() if isinstance(value, str)}


def unit(panel):
    return panel["fieldConfig"]["defaults"].get("unit")


def test_a_panel_has_a_title_and_a_unit_that_grafana_knows(panel):
    assert panel["title"]
    assert unit(panel) in UNITS or re.fullmatch(r"count:[a-z]+/s", unit(panel))


def test_a_rate_says_what_comes_so_many_times_a_second(panel):
    shown = {unit(panel), *shown_units(panel)}
    assert not shown & {"cps", "ops", "rps"}


def test_a_description_names_its_metrics_first_and_says_more(panel):
    match = re.match(r"((?:`\w+`(?:, )?)+): (.+)", panel["description"])
    named = re.findall(r"`(\w+)`", match[1])
    expressions = [target["expr"] for target in panel["targets"]]
    assert set(named) <= CATALOG.keys() | {"ALERTS", "ALERTS_FOR_STATE"}
    assert all(any(name in expression for expression in expressions) for name in named)
    assert all(any(name in expression for name in named) for expression in expressions)
    assert len(match[2].split()) >= 15


def test_a_panel_without_data_says_that_there_is_no_traffic_no_run_or_no_verdict(panel):
    said = panel["fieldConfig"]["defaults"]["noValue"]
    asked = " ".join(each["expr"] for each in panel["targets"])
    if "process_" in asked or "ALERTS" in asked:
        assert said == (NO_ALERT if "ALERTS" in asked else NO_PROCESS)
    elif panel["type"] == "stat" and "stream_client_trust" in asked:
        assert said == NO_VERDICT
    elif "slo_passed" in asked:
        assert said == NO_RULES
    elif re.search("stream_client_(users|workers|trust|run_info|names|result)", asked):
        assert said == NO_RUN
    else:
        assert said == NO_TRAFFIC


def test_a_chart_has_a_table_for_a_legend_and_names_its_lines(chart):
    assert chart["options"]["legend"]["displayMode"] == "table"
    legends = [target["legendFormat"] for target in chart["targets"]]
    assert all(legends)
    assert len(set(legends)) == len(legends)


def test_quantiles_are_shown_in_the_unit_of_their_metric(panel):
    units_of = {"seconds": "s", "bytes": "bytes"}
    for target, shown in zip(panel["targets"], shown_units(panel), strict=True):
        quantile = re.match(r"(?:label_replace\(|\()?histogram_quantile\(.*?_(seconds|bytes)_bucket", target["expr"])
        if quantile and " / " not in target["expr"]:
            assert shown == units_of[quantile[1]]


def shown_units(panel):
    """The unit of each target: in a table, its column's own."""
    if panel["type"] != "table":
        return [unit(panel)] * len(panel["targets"])
    columns = {each["matcher"]["options"]: each["properties"] for each in panel["fieldConfig"]["overrides"]}
    renamed = panel["transformations"][1]["options"]["renameByName"]
    headings = [heading for key, heading in renamed.items() if key.startswith("Value")]
    return [next(each["value"] for each in columns[heading] if each["id"] == "unit") for heading in headings]


def test_threshold_steps_begin_at_null_and_rise(panel):
    first, *rest = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert first is None
    assert rest == sorted(rest)
    assert all(isinstance(value, float) for value in rest)


def coloured(panel):
    """The columns of a table whose values have colours, with their properties."""
    for override in panel["fieldConfig"]["overrides"] if panel["type"] == "table" else ():
        properties = {each["id"]: each["value"] for each in override["properties"]}
        if "thresholds" in properties or "mappings" in properties:
            yield properties


def test_a_column_with_colours_draws_them_as_grafana_12_does(panel):
    for properties in coloured(panel):
        assert properties["custom.cellOptions"] == {"type": "color-text"}
        assert not {"custom.displayMode", "displayMode"} & properties.keys()


def test_the_verdict_s_column_is_coloured():
    panels = [panel for build in DASHBOARDS for panel in build()["panels"]]
    tables = [panel for panel in panels if panel["title"] in ("Runs", "Finished runs") and panel["type"] == "table"]
    assert len(tables) == 3
    for panel in tables:
        texts = [mapping["options"] for properties in coloured(panel) for mapping in properties["mappings"]]
        assert {"trusted": "green", "invalid": "red"}.items() <= {
            each["text"]: each["color"] for options in texts for each in options.values()
        }.items()


VERDICTS = {"trusted": "green", "degraded": "orange", "invalid": "red"}


def test_a_verdict_is_named_and_coloured_by_its_number_or_its_word():
    for mappings, keys in ((TRUST, "210"), (TRUST_WORDS, VERDICTS)):
        (mapping,) = mappings
        shown = {key: (each["text"], each["color"]) for key, each in mapping["options"].items()}
        assert shown == dict(zip(keys, VERDICTS.items(), strict=True))


@pytest.mark.parametrize(
    ("side", "outcomes", "failed"),
    [
        ("server", set(OUTCOMES), {"error", "deadline"}),
        ("client", {*map(str, Outcome)}, {str(outcome) for outcome in Outcome if outcome.failed}),
    ],
    ids=["server", "client"],
)
def test_outcomes_that_are_failures_are_red_and_no_others(side, outcomes, failed):
    charts = [panel for build in DASHBOARDS for panel in build()["panels"] if outcomes_of(panel, side)]
    assert charts
    for panel in charts:
        (override,) = panel["fieldConfig"]["overrides"]
        assert override["properties"] == [{"id": "color", "value": {"fixedColor": "red", "mode": "fixed"}}]
        pattern = re.compile(override["matcher"]["options"].strip("/"))
        legend = panel["targets"][0]["legendFormat"]
        shown = {each: re.sub(r"{{\w+}}", "x", legend.replace("{{outcome}}", each)) for each in outcomes}
        assert {each for each, text in shown.items() if pattern.search(text)} == failed


def outcomes_of(panel, side):
    """Whether it is a chart whose lines are outcomes."""
    first = panel.get("targets", [{}])[0]
    asked = f"stream_{side}_finished_total" in first.get("expr", "") and "{{outcome}}" in first.get("legendFormat", "")
    return panel["type"] == "timeseries" and asked


def test_a_figure_that_is_neither_good_nor_bad_is_not_green(panel):
    steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    if len(steps) == 1:
        assert steps[0]["color"] == "text"


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_rises_has_a_reason_and_a_metric(name):
    limit = LIMITS[name]
    assert limit.warn < limit.bad
    assert limit.reason
    assert name in CATALOG


@pytest.mark.parametrize("name", [name for name in LIMITS if CATALOG[name].type == "histogram"])
def test_a_limit_of_a_quantile_stands_on_a_bucket_bound(name):
    assert {LIMITS[name].warn, LIMITS[name].bad} <= set(CATALOG[name].buckets)


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_stands_on_a_bucket_bound_of_both_sides(name):
    for side in ("server", "client"):
        assert OBJECTIVES[name].bound_s in CATALOG[f"stream_{side}_{name}_seconds"].buckets


def test_a_share_turns_red_where_ten_times_what_may_be_missing_is_missing():
    assert [(step["color"], step["value"]) for step in steps(0.99)] == [("red", None), ("orange", 0.9), ("green", 0.99)]
    assert explained("Words.", "percentunit", 0.99).startswith("Words. Green from 99 %, the objective; red below 90 %")


def test_what_must_not_be_low_is_green_above_and_red_below():
    floor = Floor(0.5, 0.1, "Why.")
    assert [(step["color"], step["value"]) for step in steps(floor)] == [("red", None), ("orange", 0.1), ("green", 0.5)]
    assert explained("Words.", "percentunit", floor) == "Words. Green from 50 %, red below 10 %: Why."


def test_a_panel_with_limits_explains_them():
    text = explained("Words.", "s", "event_loop_lag_seconds")
    assert text.startswith("Words. Orange from 0.01 s, red from 0.05 s: ")
    assert len(steps("event_loop_lag_seconds")) == 3
