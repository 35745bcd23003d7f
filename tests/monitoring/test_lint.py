"""The rules of Grafana's dashboard-linter, each by its name; what breaks one stands in a table, with a reason."""

import re

import promql_parser as promql
import pytest
import yaml

from monitoring import build
from monitoring.dashboards import DASHBOARDS
from streamgauge.catalog import CATALOG

#: The linter's own file of exclusions, each with its reason; those without entries are of all dashboards. The test that
#: reads it fails when one is no longer needed.
EXCLUSIONS = yaml.safe_load((build.GENERATED / ".lint").read_text())["exclusions"]

BUILT = {dashboard["title"]: dashboard for dashboard in (build() for build in DASHBOARDS)}
#: Of those that the linter knows; it knows no units of one's own making, which Grafana does.
UNITS = {"none", "string", "short", "percentunit", "s", "bytes", "binBps", "reqps", "dateTimeAsIso"}


def panels(dashboard):
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def expanded(text, dashboard):
    """The query as the linter expands it: a text for a variable, or a number where the variable starts with one."""

    def expand(match):
        name = match[2] or match[3]
        if match[1] == '"':
            return match[0]
        if name.startswith("__"):
            return "11277964s"
        current = variables(dashboard).get(name, {}).get("current", {}).get("value")
        return "11277964" if isinstance(current, str) and re.fullmatch(r"\d+", current) else f"bgludgvy_{name}"

    return re.sub(r'("?)\$(?:\{([^}]+)\}|(\w+))', expand, text)


def parsed(text, dashboard):
    return promql.parse(expanded(text, dashboard))


def selectors(expression):
    """The vector selectors of an expression, each with the nodes above it."""
    found = []

    def walk(node, above):
        if isinstance(node, promql.VectorSelector):
            found.append((node, above))
        below = getattr(node, "args", None) or [
            getattr(node, key, None) for key in ("lhs", "rhs", "expr", "vector_selector")
        ]
        for each in below:
            if isinstance(each, promql.Expr):
                walk(each, [*above, node])

    walk(expression, [])
    return found


def template(dashboard, name):
    """What the rules for job and instance find wrong with the variable of that name."""
    variable = variables(dashboard).get(name)
    if variable is None:
        return [f"no variable {name}"]
    wanted = {"type": "query", "label": name.title(), "multi": True, "allValue": ".+", "includeAll": True}
    wrong = [f"{name}: {key} is {variable[key]!r}" for key, value in wanted.items() if variable[key] != value]
    return wrong + ([] if variable["datasource"]["uid"] == "${datasource}" else [f"{name}: data source"])


def template_datasource(dashboard):
    variable = variables(dashboard).get("datasource", {})
    found = variable.get("type"), variable.get("query"), variable.get("label")
    return [] if found == ("datasource", "prometheus", "Data source") else [str(found)]


def template_label_promql(dashboard):
    wrong = []
    for variable in variables(dashboard).values():
        if variable["type"] == "query":
            text = variable["query"]["query"]
            match = re.fullmatch(r"label_values\((.+), \w+\)|query_result\((.+)\)", text)
            # not expanded: the linter parses them as they are
            wrong += [] if match and promql.parse(match[1] or match[2]) else [text]
    return wrong


def template_on_time_change_reload(dashboard):
    asked = [variable for variable in variables(dashboard).values() if variable["type"] == "query"]
    return [variable["name"] for variable in asked if variable["refresh"] != 2]


def uneditable_dashboard(dashboard):
    return [] if dashboard["editable"] is False else ["editable"]


def panel_datasource(panel):
    return [] if panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"} else [panel["datasource"]]


def panel_title_description(panel):
    return [] if panel["title"] and panel["description"] else ["no title or description"]


def panel_units(panel):
    return [] if panel["fieldConfig"]["defaults"].get("unit") in UNITS else ["no unit"]


def panel_no_targets(panel):
    return [] if panel["targets"] else ["no targets"]


def target_promql(target, dashboard):
    return [] if parsed(target["expr"], dashboard) else [target["expr"]]


def target_rate_interval(target, dashboard):
    found = re.findall(r"\bi?rate\([^\[]*\[([^\]]*)\]", target["expr"])
    return [each for each in found if each != "$__rate_interval"]


def target_matcher(target, dashboard, label):
    """Selectors without the variable's matcher."""
    return [
        node.name
        for node, _ in selectors(parsed(target["expr"], dashboard))
        if not any((m.name, m.op, m.value) == (label, promql.MatchOp.Re, f"${label}") for m in node.matchers.matchers)
    ]


def target_counter_agg(target, dashboard):
    return [
        node.name
        for node, above in selectors(parsed(target["expr"], dashboard))
        if node.name.endswith("_total")
        and not (len(above) > 1 and isinstance(above[-2], promql.Call) and above[-2].func.name in ("rate", "increase"))
    ]


OF_DASHBOARDS = {
    "template-datasource-rule": template_datasource,
    "template-job-rule": lambda dashboard: template(dashboard, "job"),
    "template-instance-rule": lambda dashboard: template(dashboard, "instance"),
    "template-label-promql-rule": template_label_promql,
    "template-on-time-change-reload-rule": template_on_time_change_reload,
    "uneditable-dashboard-rule": uneditable_dashboard,
}
OF_PANELS = {
    "panel-datasource-rule": panel_datasource,
    "panel-title-description-rule": panel_title_description,
    "panel-units-rule": panel_units,
    "panel-no-targets-rule": panel_no_targets,
}
OF_TARGETS = {
    "target-promql-rule": target_promql,
    "target-rate-interval-rule": target_rate_interval,
    "target-job-rule": lambda *target: target_matcher(*target, "job"),
    "target-instance-rule": lambda *target: target_matcher(*target, "instance"),
    "target-counter-agg-rule": target_counter_agg,
}


def breaches(rule):
    """Where the dashboards break a rule: (dashboard, panel, what)."""
    for title, dashboard in BUILT.items():
        if rule in OF_DASHBOARDS:
            yield from ((title, "", what) for what in OF_DASHBOARDS[rule](dashboard))
        for panel in panels(dashboard):
            if rule in OF_PANELS:
                yield from ((title, panel["title"], what) for what in OF_PANELS[rule](panel))
            for target in panel["targets"] if rule in OF_TARGETS else ():
                yield from ((title, panel["title"], what) for what in OF_TARGETS[rule](target, dashboard))


@pytest.mark.parametrize("rule", [*OF_DASHBOARDS, *OF_PANELS, *OF_TARGETS])
def test_dashboards_keep_the_rule_or_an_exclusion_says_why(rule):
    excluded = EXCLUSIONS.get(rule, {"entries": []})
    found = {(dashboard, panel) for dashboard, panel, _ in breaches(rule)}
    if rule in EXCLUSIONS:
        assert excluded["reason"]
        assert found
    if "entries" in excluded:
        assert found == {(each["dashboard"], each["panel"]) for each in excluded["entries"]}


@pytest.mark.parametrize(
    ("rule", "broken"),
    [
        (target_rate_interval, "rate(a_total[5m])"),
        (target_counter_agg, "sum(a_total)"),
        (target_counter_agg, "max_over_time(a_total[5m])"),
        (lambda *target: target_matcher(*target, "job"), 'rate(a_total{instance=~"$instance"}[5m]) / b'),
    ],
)
def test_a_breach_is_found(rule, broken):
    assert rule({"expr": broken}, BUILT["Overview"])


def test_a_query_that_the_linter_cannot_parse_is_found():
    with pytest.raises(ValueError, match="invalid promql"):
        parsed("a offset ${shift}s", BUILT["Overview"])
    parsed("a offset ${shift}s", BUILT["Compare runs"])


def test_every_metric_of_the_catalog_is_on_a_panel():
    asked = " ".join(target["expr"] for each in BUILT.values() for panel in panels(each) for target in panel["targets"])
    shown = set(re.findall(r"\w+", asked))
    missing = [name for name, metric in CATALOG.items() if not shown & set(metric.series)]
    assert missing == []


def test_every_metric_that_is_named_anywhere_is_in_the_catalog():
    known = set(CATALOG) | {series for metric in CATALOG.values() for series in metric.series}
    for dashboard in BUILT.values():
        texts = [text for _, text in build.queries(dashboard)] + [panel["description"] for panel in panels(dashboard)]
        named = set(re.findall(r"\b(?:stream_(?:server|client)|event_loop|http_server)_\w+", " ".join(texts)))
        assert named
        assert named <= known
