"""Every query parses, asks for the catalog's series alone, and has an answer or none, never NaN."""

import re

import promql_parser as promql
import pytest

from streamgauge.catalog import CATALOG, Metric

SERIES = {series: metric for metric in CATALOG.values() for series in metric.series}
#: What Prometheus stores of its own alerts, whose labels are those of what they are about.
_OF_ALERTS = ("alertname", "alertstate", "severity", "route", "name")
SERIES |= {name: Metric(name, "gauge", "", _OF_ALERTS) for name in ("ALERTS", "ALERTS_FOR_STATE")}
FROM_PROMETHEUS = {"job", "instance", "le"}
#: Whether a target is one of these, not how much it counts.
PRESENT = re.compile(r"and on \(job, instance\) (\w+)")
SELECTED_BY = {"job": {"$job"}, "instance": {"$instance"}, "route": {"$route"}, "name": {"$name"}}
SELECTED_BY["run_id"] = {"$run", "$base", "$new"}


def parsed(target):
    return promql.parse(resolved(target["expr"]))


def resolved(text):
    """The query with times in place of what Grafana works out."""
    for name, value in {"$__rate_interval": "8s", "$__range": "15m"}.items():
        text = text.replace(name, value)
    return re.sub(r"\$\{\w+\}", "30", text)


def nodes(expression, parent=None):
    """The expression's nodes with their parents, parentheses left out."""
    if isinstance(expression, promql.ParenExpr):
        yield from nodes(expression.expr, parent)
        return
    yield expression, parent
    below = {
        promql.BinaryExpr: lambda node: [node.lhs, node.rhs],
        promql.Call: lambda node: list(node.args),
        promql.AggregateExpr: lambda node: [node.expr],
        promql.MatrixSelector: lambda node: [node.vector_selector],
        promql.SubqueryExpr: lambda node: [node.expr],
    }.get(type(expression), lambda node: [])
    for child in below(expression):
        yield from nodes(child, expression)


def compares_with_zero(node, op):
    while isinstance(node, promql.ParenExpr):
        node = node.expr
    return isinstance(node, promql.BinaryExpr) and str(node.op) == op and str(node.rhs) == "0"


def may_be_zero(divisor):
    return not compares_with_zero(divisor, ">") and not (isinstance(divisor, promql.NumberLiteral) and divisor.val > 0)


def nan_prone(expression):
    """Quotients whose divisor may be 0, and quantiles that may be of nothing."""
    found = []
    for node, parent in nodes(expression):
        if isinstance(node, promql.BinaryExpr) and str(node.op) == "/" and may_be_zero(node.rhs):
            found.append(node.prettify())
        quantile = isinstance(node, promql.Call) and node.func.name == "histogram_quantile"
        if quantile and not compares_with_zero(parent, ">="):
            found.append(node.prettify())
    return found


def selectors(expression):
    return [(node, parent) for node, parent in nodes(expression) if isinstance(node, promql.VectorSelector)]


def test_a_query_asks_for_series_of_the_catalog(target):
    found = selectors(parsed(target))
    assert found
    assert {node.name for node, _ in found} <= SERIES.keys()


def test_a_query_selects_and_groups_by_labels_that_the_series_have(target):
    for node, _ in selectors(parsed(target)):
        assert {matcher.name for matcher in node.matchers.matchers} <= set(SERIES[node.name].labels) | FROM_PROMETHEUS
    made = set(re.findall(r', "(\w+)", "[^"]*", "\w*", "', target["expr"]))
    for node, _ in nodes(parsed(target)):
        if isinstance(node, promql.AggregateExpr) and node.modifier is not None:
            below = [SERIES[each.name].labels for each, _ in selectors(node)]
            assert set(node.modifier.labels) <= FROM_PROMETHEUS.union(made, *below)


def test_a_query_follows_the_variables_for_each_label_that_its_series_have(target):
    for node, _ in selectors(parsed(target)):
        if node.name.startswith("ALERTS"):
            assert "$job" in {m.value for m in node.matchers.matchers}
            continue
        for label in {"job", "instance"} | (SELECTED_BY.keys() & set(SERIES[node.name].labels)):
            assert {m.value for m in node.matchers.matchers if m.name == label} & SELECTED_BY[label]


def test_counters_and_buckets_are_read_as_a_rate_or_an_increase(target):
    for node, parent in selectors(parsed(target)):
        if SERIES[node.name].type != "gauge" and node.name not in PRESENT.findall(target["expr"]):
            assert isinstance(parent, promql.MatrixSelector)
            assert re.search(rf"\b(rate|increase)\({node.name}\{{", target["expr"])


def test_a_query_without_traffic_has_no_answer_rather_than_nan(target):
    assert nan_prone(parsed(target)) == []


@pytest.mark.parametrize(
    ("text", "prone"),
    [
        ("a / b", True),
        ("a / (b > 0)", False),
        ("a / 30", False),
        ("a / 0", True),
        ("a / (b > 1)", True),
        ("histogram_quantile(0.9, a)", True),
        ("histogram_quantile(0.9, a) >= 0", False),
        ("sum(histogram_quantile(0.9, a)) >= 0", True),
    ],
)
def test_what_counts_as_nan_prone(text, prone):
    assert bool(nan_prone(promql.parse(text))) is prone
