"""The rules: what promtool says of them, what they name, and that each alert is tested both ways."""

import re
import subprocess
from dataclasses import replace
from pathlib import Path

import promql_parser as promql
import pytest
import yaml

from monitoring import config
from monitoring.config import Objective
from monitoring.promql.text import CatalogError
from monitoring.rules.files import FOLDER, generate, groups
from monitoring.rules.plan import BURNS, Plan, span
from monitoring.rules.rule import Alert, Recording
from streamgauge.catalog import CATALOG

pytestmark = pytest.mark.timeout(360)

ROOT = Path(__file__).parents[2]
CASES = Path(__file__).parent / "rules"
PROMETHEUS = ROOT / "monitoring" / "prometheus" / "prometheus.yml"
RULES = [rule for found in groups(Plan()).values() for group in found for rule in group.rules]
ALERTS = [rule for rule in RULES if isinstance(rule, Alert)]
RECORDINGS = [rule for rule in RULES if isinstance(rule, Recording)]
SERIES = {series: metric for metric in CATALOG.values() for series in metric.series}
FROM_PROMETHEUS = {"job", "instance", "le"}
WINDOWS = {"rate1m", "rate5m", *(f"rate{span(s)}" for burn in BURNS for s in (burn.long_s, burn.short_s))}


def labelled(rule):
    """What tells a rule from others of its name."""
    return f"{rule.name} {rule.severity} {' '.join(rule.labels.values())}"


def nodes(expression):
    yield expression
    below = {
        promql.BinaryExpr: lambda node: [node.lhs, node.rhs],
        promql.Call: lambda node: list(node.args),
        promql.AggregateExpr: lambda node: [node.expr],
        promql.ParenExpr: lambda node: [node.expr],
        promql.MatrixSelector: lambda node: [node.vector_selector],
    }.get(type(expression), lambda node: [])
    for child in below(expression):
        yield from nodes(child)


def promtool_says(promtool, *arguments):
    done = subprocess.run([promtool, *arguments], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_finds_no_fault_in_the_rules(promtool):
    promtool_says(promtool, "check", "rules", "--lint=all", "--lint-fatal", *sorted(FOLDER.glob("*.yml")))


@pytest.mark.parametrize("shorter", [1, 60])
def test_a_shortened_plan_makes_the_same_rules_with_other_durations(promtool, tmp_path, shorter):
    for name, text in generate(Plan(shorter=shorter, scrape_s=1)).items():
        (tmp_path / name).write_text(text)
        plain = [rule.get("record") or rule.get("alert") for rule in read(FOLDER / name)]
        assert [rule.get("record") or rule.get("alert") for rule in read(tmp_path / name)] == plain
    promtool_says(promtool, "check", "rules", "--lint=all", "--lint-fatal", *sorted(tmp_path.glob("*.yml")))


def read(path):
    return [rule for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]


def test_the_stack_reads_every_rule_file():
    (pattern,) = yaml.safe_load(PROMETHEUS.read_text())["rule_files"]
    assert sorted(PROMETHEUS.parent.glob(pattern)) == sorted(FOLDER / name for name in generate())


def test_the_stack_scrapes_the_job_that_has_to_be_up():
    jobs = {scrape["job_name"] for scrape in yaml.safe_load(PROMETHEUS.read_text())["scrape_configs"]}
    assert {Plan().app_job, "streamgauge-load", "prometheus"} <= jobs


def test_the_plan_scrapes_as_often_as_the_stack_does():
    assert Plan().scrape_s == config.SCRAPE_INTERVAL_S


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_rule_names_series_of_the_catalog_recorded_before_or_prometheus_own(rule):
    recorded = {each.name for each in RECORDINGS}
    named = {node.name for node in nodes(promql.parse(rule.expression)) if isinstance(node, promql.VectorSelector)}
    assert named
    assert named <= SERIES.keys() | recorded | {"up"}


@pytest.mark.parametrize("rule", RECORDINGS, ids=lambda rule: rule.name)
def test_a_recorded_name_is_level_metric_operation(rule):
    level, metric, operation = rule.name.split(":")
    kept = set(level.split("_"))
    grouped = [set(labels.split(", ")) - {"le"} for labels in re.findall(r"by \(([^)]*)\)", rule.expression)]
    assert all(labels == kept for labels in grouped)
    assert re.fullmatch(r"(stream_(server|client)|http_server|event_loop)_\w+", metric)
    assert not metric.endswith("_total")
    assert re.fullmatch(r"(ratio_|p99_)?(rate\w+)", operation)[2] in WINDOWS


@pytest.mark.parametrize("rule", ALERTS, ids=labelled)
def test_an_alert_says_what_it_is_and_has_a_runbook(rule):
    document = rule.document(Plan())
    assert document["labels"]["severity"] in {"page", "ticket", "info"}
    assert document["labels"]["side"] in {"server", "client"}
    summary, description, url = (document["annotations"][key] for key in ("summary", "description", "runbook_url"))
    assert "{{ $labels." in summary
    assert summary.endswith(".")
    assert description.endswith(".")
    assert url == f"{{{{ $externalURL }}}}/user/{rule.name}.md"
    assert all(re.search("humanize|printf", each) for each in re.findall(r"{{[^}]*\$value[^}]*}}", description))
    page = (ROOT / "docs" / "runbooks" / f"{rule.name}.md").read_text()
    assert page.startswith(f"# {rule.name}\n")
    assert f"**{rule.severity.capitalize()}" in page or f"**{rule.severity}**" in page


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_a_matcher_is_a_regular_expression_only_where_it_has_to_be(rule):
    found = [node for node in nodes(promql.parse(rule.expression)) if isinstance(node, promql.VectorSelector)]
    for matcher in (matcher for node in found for matcher in node.matchers.matchers):
        if matcher.op in (promql.MatchOp.Re, promql.MatchOp.NotRe):
            assert re.escape(matcher.value) != matcher.value


def test_what_counts_over_days_is_evaluated_once_a_minute():
    found = [group for each in groups(Plan()).values() for group in each]
    slow = [group for group in found for rule in group.rules if re.search(r"\[\dd\]", rule.expression)]
    assert len(slow) > 3
    assert {group.interval_s for group in slow} == {60}


def test_a_client_alert_never_pages():
    assert "page" not in {rule.severity for rule in ALERTS if rule.labels["side"] == "client"}


def test_every_runbook_belongs_to_an_alert_and_stands_in_the_index():
    folder = ROOT / "docs" / "runbooks"
    pages = {path.stem for path in folder.glob("*.md")} - {"README"}
    assert pages == {rule.name for rule in ALERTS}
    assert set(re.findall(r"^\| \[(\w+)\]\(\1\.md\)", (folder / "README.md").read_text(), re.MULTILINE)) == pages


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yml")), ids=lambda path: path.stem)
def test_promtool_runs_the_rule_tests(promtool, path):
    promtool_says(promtool, "test", "rules", path)


def asked(alert):
    """The rule test's questions for an alert that fires: labels that were asked for, and those that were answered."""
    path = CASES / f"{alert}.yml"
    for test in yaml.safe_load(path.read_text())["tests"] if path.exists() else ():
        for case in test.get("promql_expr_test", ()):
            if case["expr"].startswith(f'ALERTS{{alertname="{alert}", alertstate="firing"'):
                answers = [dict(re.findall(r'(\w+)="([^"]*)"', each["labels"])) for each in case["exp_samples"]]
                yield dict(re.findall(r'(\w+)="([^"]*)"', case["expr"])), answers


@pytest.mark.parametrize("rule", ALERTS, ids=labelled)
def test_an_alert_has_a_rule_test_that_fires_it_and_one_that_does_not(rule):
    labels = {"alertname": rule.name, "severity": rule.severity, **rule.labels}
    covering = [answers for question, answers in asked(rule.name) if question.items() <= labels.items() | FIRING]
    fired = [any(labels.items() <= answer.items() for answer in answers) for answers in covering]
    assert True in fired
    assert False in fired


FIRING = {"alertstate": "firing"}.items()


@pytest.mark.parametrize(
    ("seconds", "text"), [(300, "5m"), (90, "90s"), (86_400, "1d"), (0.25, "250ms"), (7200, "2h"), (5400, "90m")]
)
def test_a_span_is_written_in_its_largest_whole_unit(seconds, text):
    assert span(seconds) == text


def test_a_window_holds_four_scrapes_however_short_the_plan():
    assert Plan(shorter=1000, scrape_s=1).window(300) == "4s"


def test_an_objective_whose_bound_is_no_bucket_is_refused():
    objectives = {**Plan().objectives, "chunk_interval": Objective(0.6, 0.99, "")}
    with pytest.raises(CatalogError, match=r"stream_server_chunk_interval_seconds.*got 0\.6"):
        generate(replace(Plan(), objectives=objectives))
