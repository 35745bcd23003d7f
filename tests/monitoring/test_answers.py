"""What the queries answer, asked of Prometheus's own engine over made-up series."""

import re
import subprocess

import pytest
import yaml

from monitoring.config import FAILED_OUTCOMES
from monitoring.dashboards import DASHBOARDS
from monitoring.promql.panels import (
    bad_share_of_streams,
    bucket_bound,
    budget_left,
    burn_rate,
    descriptors_of,
    late_share,
    quantile,
    rate,
    share,
)
from monitoring.promql.results import difference, different, of_each_run, of_run, ratio, same
from monitoring.promql.runs import start_difference
from streamgauge.catalog import CATALOG

pytestmark = pytest.mark.timeout(360)

FINISHED = "stream_server_finished_total"
LAG = "event_loop_lag_seconds"
FAILED = f'outcome=~"{"|".join(FAILED_OUTCOMES)}"'
QUERIES = [target["expr"] for build in DASHBOARDS for panel in build()["panels"] for target in panel.get("targets", ())]


@pytest.fixture
def answers(promtool, tmp_path):
    """Holds when each query answers just the given values, ten minutes into the series."""

    def check(series, expected):
        test = {
            "interval": "1m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": resolved(query),
                    "eval_time": "10m",
                    "exp_samples": [{"labels": labels, "value": value} for labels, value in samples.items()],
                }
                for query, samples in expected.items()
            ],
        }
        path = tmp_path / "test.yml"
        path.write_text(yaml.safe_dump({"rule_files": [], "fuzzy_compare": True, "tests": [test]}))
        done = subprocess.run(
            [promtool, "test", "rules", path], capture_output=True, text=True, check=False, timeout=300
        )
        assert done.returncode == 0, done.stdout + done.stderr

    return check


def resolved(query):
    """The query as Grafana asks it, all values chosen."""
    for text, value in {"$__rate_interval": "2m", "$__range": "10m", "${shift}": "0"}.items():
        query = query.replace(text, value)
    query = query.replace('="$ttfc_slo"', '="0.25"').replace('="$interval_slo"', '="0.5"')
    return re.sub(r'="\$(base|new)"', '="x"', re.sub(r'~"\$\w+"', '~".*"', query))


def series(name, /, **labels):
    return name + "{" + ", ".join(f'{label}="{value}"' for label, value in labels.items()) + "}"


def silent_series():
    """Every series, there but for a long time unchanged."""
    for metric in CATALOG.values():
        labels = dict.fromkeys(metric.labels, "x")
        if metric.type == "histogram":
            yield from (series(f"{metric.name}_bucket", **labels, le=le) for le in (*metric.buckets, "+Inf"))
            yield series(f"{metric.name}_count", **labels)
        else:
            yield series(metric.name, **labels)


def test_without_traffic_quantiles_and_shares_have_no_answer(answers):
    asked = [query for query in QUERIES if "histogram_quantile" in query or " / " in query]
    asked = {query for query in asked if not re.search("_result_|process_open", query)}  # which are no rates
    assert len(asked) > 50
    answers(dict.fromkeys(silent_series(), "7+0x10"), {query: {} for query in asked})


def test_a_share_is_the_part_that_was_picked(answers):
    fed = {series(FINISHED, outcome="completed"): "0+90x10", series(FINISHED, outcome="error"): "0+10x10"}
    answers(fed, {share(FINISHED, FAILED): {"{}": 0.1}})


def test_a_share_is_zero_where_no_such_outcome_was_ever_seen(answers):
    answers({series(FINISHED, outcome="completed"): "0+90x10"}, {share(FINISHED, FAILED): {"{}": 0}})


def test_a_hang_up_is_not_a_failure(answers):
    answers({series(FINISHED, outcome="client_disconnect"): "0+60x10"}, {share(FINISHED, FAILED): {"{}": 0}})


def test_a_quantile_pools_the_instances_unless_asked_for_each(answers):
    below = {"a": 100, "b": 0}
    fed = {series(f"{LAG}_bucket", instance=each, le="0.1"): f"0+{step}x10" for each, step in below.items()}
    fed |= {series(f"{LAG}_bucket", instance=each, le="+Inf"): "0+100x10" for each in below}
    each = {'{instance="a"}': 0.025, '{instance="b"}': 0.1}
    answers(fed, {quantile(0.25, LAG): {"{}": 0.05}, quantile(0.25, LAG, ("instance",)): each})


def test_a_rate_is_per_second(answers):
    answers({FINISHED: "0+120x10"}, {rate(FINISHED): {"{}": 2}})


def test_the_p99_of_a_duration_is_at_most_the_bound_of_its_bucket(answers):
    """All streams last 5.1 s: interpolated, their p99 would be 5.99 s."""
    bounds = {"5.0": 0, "6.0": 100, "8.0": 100, "+Inf": 100}
    fed = {series(f"{DURATION}_bucket", le=le): f"0+{count}x10" for le, count in bounds.items()}
    fed |= {series(f"{DURATION}_count"): "0+100x10"}
    answers(fed, {bucket_bound(q, DURATION): {"{}": 6} for q in (0.01, 0.5, 0.99, 1)})


@pytest.mark.parametrize(("q", "bound_s"), [(0.5, 5), (0.98, 5), (0.99, 8), (1, 8)])
def test_a_bound_is_that_of_the_bucket_which_holds_the_quantile(answers, q, bound_s):
    fed = {series(f"{DURATION}_bucket", name="a", le=le): f"0+{count}x10" for le, count in MOST_BELOW_5_S.items()}
    fed |= {series(f"{DURATION}_count", name="a"): "0+200x10"}
    answers(fed, {bucket_bound(q, DURATION, ("name",)): {'{name="a"}': bound_s}})


DURATION = "stream_client_duration_seconds"
MOST_BELOW_5_S = {"4.0": 0, "5.0": 197, "6.0": 197, "8.0": 200, "+Inf": 200}


def test_a_budget_is_what_is_left_of_what_may_be_bad(answers):
    fed = {series(FINISHED, outcome="completed"): "0+99950x10", series(FINISHED, outcome="error"): "0+50x10"}
    share = bad_share_of_streams("5m")
    answers(fed, {budget_left(share, 0.999): {"{}": 0.5}, burn_rate(share, 0.999): {"{}": 0.5}})


def test_a_budget_that_is_overspent_is_0_and_its_burn_rate_says_how_far(answers):
    name = "stream_server_chunk_interval_seconds"
    fed = {series(f"{name}_bucket", le="0.5"): "0+80x10", series(f"{name}_count"): "0+100x10"}
    share = late_share(name, "interval_slo", "5m")
    answers(fed, {budget_left(share, 0.99): {"{}": 0}, burn_rate(share, 0.99): {"{}": 20}})


def test_processes_of_others_are_not_shown(answers):
    fed = {series("process_open_fds", job=job, instance="a", pid="7"): "10+0x10" for job in ("app", "prometheus")}
    fed |= {series("process_max_fds", job=job, instance="a", pid="7"): "40+0x10" for job in ("app", "prometheus")}
    fed |= {series(f"{LAG}_count", job="app", instance="a"): "0+1x10"}
    answers(fed, {descriptors_of(f"{LAG}_count"): {'{instance="a", pid="7"}': 0.25}})


def results(name, base, new, /, **labels):
    return {
        series(f"stream_client_result_{name}", run_id=run, **labels): f"{value}+0x4"
        for run, value in (("b", base), ("n", new))
    }


def load(run, **labels):
    about = {"users": "50", "scenario": "sse", "host": "http://a", "trust": "trusted"} | labels
    return {series("stream_client_result_info", run_id=run, **about): "1+0x4"}


def chosen(query):
    """The query with two runs chosen, whose processes ended some minutes ago."""
    return query.replace('"$base"', '"b"').replace('"$new"', '"n"')


def test_two_runs_are_a_join(answers):
    name, by = "stream_client_result_seconds", ("name", "protocol", "metric", "stat")
    fed = results("seconds", 0.25, 0.5, name="/a", protocol="sse", metric="chunk_interval", stat="p99")
    fed |= {series(name, run_id="b", name="/b", protocol="sse", metric="chunk_interval", stat="p99"): "9+0x4"}
    fed |= {series(name, run_id="other", name="/a", protocol="sse", metric="chunk_interval", stat="p99"): "9+0x4"}
    key = '{name="/a", protocol="sse", metric="chunk_interval", stat="p99"}'
    asked = {of_run("new", name, by): 0.5, difference(name, by): 0.25, ratio(name, by): 2}
    answers(fed, {chosen(query): {key: value} for query, value in asked.items()})


def test_nothing_is_compared_with_nothing(answers):
    name, by = "stream_client_result_counts", ("metric",)
    answers(results("counts", 0, 4, metric="stalls"), {chosen(ratio(name, by)): {}})


def test_runs_of_the_same_load_say_which(answers):
    asked = {chosen(same("users")): {'{users="50"}': 1}, chosen(different("users")): {}}
    answers(load("b") | load("n"), asked)


def test_runs_of_different_loads_say_both(answers):
    asked = {
        chosen(different("users")): {'{base="50", new="100"}': 0},
        chosen(same("users")): {},
        chosen(same("host")): {'{host="http://a"}': 1},
    }
    answers(load("b") | load("n", users="100"), asked)


TRUSTED = 'trust="trusted"'


@pytest.mark.parametrize(("base", "new"), [("trusted", "degraded"), ("invalid", "invalid"), ("trusted", "trusted")])
def test_a_run_that_is_not_trusted_is_said_to_be_though_the_other_is_not_either(answers, base, new):
    both = base == new == "trusted"
    asked = {
        chosen(same("trust", TRUSTED)): {'{trust="trusted"}': 1} if both else {},
        chosen(different("trust", TRUSTED)): {} if both else {f'{{base="{base}", new="{new}"}}': 0},
    }
    answers(load("b", trust=base) | load("n", trust=new), asked)


def test_a_run_is_beside_its_load_in_the_table_of_all(answers):
    fed = load("b") | load("n", users="100") | results("users", 50, 100)
    about = 'scenario="sse", host="http://a", trust="trusted"'
    expected = {f'{{run_id="b", {about}}}': 50, f'{{run_id="n", {about}}}': 100}
    answers(fed, {of_each_run("stream_client_result_users"): expected})


def test_the_base_is_moved_by_what_the_new_run_started_later(answers):
    started = "stream_client_run_start_timestamp_seconds"
    fed = {series(started, run_id="b"): "100.4+0x4", series(started, run_id="n"): "190.2+0x4"}
    answers(fed, {chosen(start_difference("base", "new")): {"{}": 90}})
    answers({series(started, run_id="b"): "100+0x4"}, {chosen(start_difference("base", "new")): {"{}": 0}})
