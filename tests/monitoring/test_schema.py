"""The dashboards have the shape of today's Grafana: no older keys, and none that it does not know."""

import itertools
import json
import re

from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard

from monitoring.config import ALL_VALUES, DATASOURCE_UID, OBJECTIVES
from monitoring.dashboards import compare_runs

LEGACY = {"__inputs", "error", "gnetId", "hideControls", "intervalFactor", "rows", "sharedCrosshair", "span", "style"}
#: The Prometheus data source's own keys of an annotation: Grafana's schema leaves them open, so the SDK knows none.
OF_THE_DATA_SOURCE = {"step", "titleFormat", "textFormat", "tagKeys", "useValueForTime"}


def keys(value):
    if isinstance(value, dict):
        yield from value
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from keys(item)


def lost(before, after, path=""):
    """Where the second of two documents lacks or changes something of the first."""
    if isinstance(before, dict) and isinstance(after, dict):
        return [each for key, value in before.items() for each in lost(value, after.get(key), f"{path}/{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [each for i, value in enumerate(before) for each in lost(value, after[i], f"{path}/{i}")]
    return [] if before == after else [f"{path}: {before!r} became {after!r}"]


def overlap(a, b):
    return (
        a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]
    )


def test_the_foundation_sdk_reads_and_writes_a_dashboard_without_loss(dashboard):
    plugins.register_default_plugins()
    read = Dashboard.from_json(json.loads(json.dumps(dashboard)))
    missing = lost(dashboard, json.loads(json.dumps(read, cls=JSONEncoder)))
    others = [
        each for each in missing if not re.match(rf"/annotations/list/\d/({'|'.join(OF_THE_DATA_SOURCE)}): ", each)
    ]
    assert others == []


def test_no_legacy_keys_are_left(dashboard):
    assert LEGACY & set(keys(dashboard)) == set()
    assert 39 <= dashboard["schemaVersion"] <= 42


def test_panels_have_ids_and_places_of_their_own(dashboard):
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    places = [panel["gridPos"] for panel in panels]
    assert not any(overlap(a, b) for a, b in itertools.combinations(places, 2))
    assert all(place["x"] >= 0 and place["x"] + place["w"] <= 24 for place in places)


def test_everything_asks_the_data_source_of_the_variable(dashboard):
    asked = [panel["datasource"] for panel in dashboard["panels"] if panel["type"] != "row"]
    asked += [target["datasource"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    asked += [each["datasource"] for each in dashboard["templating"]["list"] if each["type"] == "query"]
    asked += [each["datasource"] for each in dashboard["annotations"]["list"]]
    assert {source["uid"] for source in asked} == {"${datasource}"}


def test_variables_start_with_all_values_of_the_provisioned_data_source(dashboard):
    source, *choices = dashboard["templating"]["list"]
    assert (source["name"], source["type"], source["current"]["value"]) == ("datasource", "datasource", DATASOURCE_UID)
    several = [variable for variable in choices if variable["multi"]]
    assert {"job", "instance", "run"} <= {variable["name"] for variable in several}
    for variable in several:
        assert variable["current"]["value"] == ["$__all"]
        assert (variable["includeAll"], variable["allValue"]) == (True, ALL_VALUES)
        assert variable["label"] == variable["name"].title()


def test_a_variable_that_nobody_chooses_is_hidden_and_not_in_links(dashboard):
    for variable in dashboard["templating"]["list"]:
        worked_out = variable["type"] == "query" and variable["query"]["query"].startswith("query_result(")
        assert (variable["hide"] == 2) is worked_out
        assert variable.get("skipUrlSync", False) is worked_out


def test_an_objective_s_variable_starts_at_the_configured_bucket(dashboard):
    bounds = {"ttfc_slo": "time_to_first_chunk", "interval_slo": "chunk_interval"}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "custom":
            assert variable["current"]["value"] == str(OBJECTIVES[bounds[variable["name"]]].bound_s)
            assert variable["current"] in variable["options"]
            assert variable["query"] == ", ".join(f"{each['text']} : {each['value']}" for each in variable["options"])


def test_two_runs_are_compared_from_the_oldest_to_the_newest():
    """A run's id begins with its time, so that the alphabet has the oldest first: 1 is its order, 2 the reverse."""
    choices = {each["name"]: each for each in compare_runs.build()["templating"]["list"]}
    assert [(choices[name]["sort"], choices[name]["multi"]) for name in ("base", "new")] == [(1, False), (2, False)]


def test_the_dashboards_link_to_each_other_with_time_and_variables(dashboard):
    (link,) = dashboard["links"]
    assert (link["type"], link["keepTime"], link["includeVars"]) == ("dashboards", True, True)
    assert set(link["tags"]) <= set(dashboard["tags"])


def test_runs_are_marked_by_query_at_the_exact_time(dashboard):
    starts, ends = dashboard["annotations"]["list"]
    assert (starts["name"], ends["name"]) == ("Run starts", "Run ends")
    assert starts["useValueForTime"] is ends["useValueForTime"] is True
    assert {"run"} <= {variable["name"] for variable in dashboard["templating"]["list"]}


def test_points_follow_the_width_of_the_panel(panel):
    assert "maxDataPoints" not in panel


def test_no_exemplars_are_asked_for_and_a_query_is_instant_or_over_a_range(target):
    assert target["exemplar"] is False
    assert target["instant"] is not target["range"]
