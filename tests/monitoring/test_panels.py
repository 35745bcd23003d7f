"""Every panel says what it shows and how to read it, in the form that Grafana reads today."""

import re

import pytest
from grafana_foundation_sdk.models import units

from monitoring.config import LIMITS, NO_TRAFFIC
from monitoring.panels import explained, steps
from streamgauge.catalog import CATALOG

#: Grafana's unit identifiers, as the foundation SDK lists them.
UNITS = {value for value in vars(units).values() if isinstance(value, str)}


def unit(panel):
    return panel["fieldConfig"]["defaults"].get("unit")


def test_a_panel_has_a_title_and_a_unit_that_grafana_knows(panel):
    assert panel["title"]
    assert unit(panel) in UNITS


def test_a_description_names_its_metric_first_and_says_more(panel):
    match = re.match(r"`(\w+)`: (.+)", panel["description"])
    assert match[1] in CATALOG
    assert all(match[1] in target["expr"] for target in panel["targets"])
    assert len(match[2].split()) >= 15


def test_a_panel_without_data_says_that_there_is_no_traffic(panel):
    assert panel["fieldConfig"]["defaults"]["noValue"] == NO_TRAFFIC


def test_a_chart_has_a_table_for_a_legend_and_names_its_lines(chart):
    assert chart["options"]["legend"]["displayMode"] == "table"
    legends = [target["legendFormat"] for target in chart["targets"]]
    assert all(legends)
    assert len(set(legends)) == len(legends)


def test_seconds_are_shown_as_seconds(panel):
    if "_seconds" in panel["description"].split(":")[0]:
        assert unit(panel) == "s"


def test_threshold_steps_begin_at_null_and_rise(panel):
    first, *rest = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
    assert first is None
    assert rest == sorted(rest)
    assert all(isinstance(value, float) for value in rest)


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_rises_has_a_reason_and_a_metric(name):
    limit = LIMITS[name]
    assert limit.warn < limit.bad
    assert limit.reason
    assert name in CATALOG


@pytest.mark.parametrize("name", [name for name in LIMITS if CATALOG[name].type == "histogram"])
def test_a_limit_of_a_quantile_stands_on_a_bucket_bound(name):
    assert {LIMITS[name].warn, LIMITS[name].bad} <= set(CATALOG[name].buckets)


def test_a_panel_with_limits_explains_them():
    text = explained("Words.", "s", "event_loop_lag_seconds")
    assert text.startswith("Words. Orange from 0.01 s, red from 0.05 s: ")
    assert len(steps("event_loop_lag_seconds")) == 3
