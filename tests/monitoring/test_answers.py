"""What the queries answer, asked of Prometheus's own engine over made-up series."""

import re
import subprocess

import pytest
import yaml

from monitoring.config import FAILED_OUTCOMES
from monitoring.dashboards import DASHBOARDS
from monitoring.promql import quantile, rate, share
from monitoring.windows import Run, window_variables
from streamgauge.catalog import CATALOG

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


def resolved(query, lived_ms=300_000):
    """The query as Grafana asks it, all values chosen, where run x lasted five minutes and ended after ten.

    Its process had lived for ``lived_ms`` when it started.
    """
    times = {"$__rate_interval": "2m", "$__range": "10m", "${shift}": "0"}
    for run in ("base", "new"):
        times |= {f"${{{run}_start}}": "300", f"${{{run}_end}}": "600"}
        times |= {f"${{{run}_lived}}": str(lived_ms), f"${{{run}_s}}": "300"}
    for text, value in times.items():
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
    asked = {query for query in asked if not re.search(r"/ \$\{\w+_s\}", query)}  # so many each second, be it none
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


CHUNKS = "stream_client_chunks_total"
RUN = {'stream_client_run_info{run_id="x"}': "_x5 1+0x5"}
GROWTH = resolved(Run("base").growth(CHUNKS))
#: The same where the process had started two minutes before the run.
GROWTH_IN_A_NEW_PROCESS = resolved(Run("base").growth(CHUNKS), 120_000)


def test_a_run_s_total_counts_what_came_before_its_first_scrape(answers):
    answers(RUN | {CHUNKS: "_x6 40+10x4"}, {GROWTH: {"{}": 80}})


def test_a_run_s_total_leaves_out_the_runs_before_it_in_the_same_process(answers):
    answers(RUN | {CHUNKS: "0+100x3 _x2 340+10x4"}, {GROWTH: {"{}": 80}})


@pytest.mark.parametrize("first", [40, 200, 300], ids=["below", "as before", "above"])
def test_a_run_s_total_is_its_own_where_the_process_is_a_new_one(answers, first):
    fed = {CHUNKS: f"0+100x2 _x3 {first}+10x4"}
    answers(RUN | fed, {GROWTH_IN_A_NEW_PROCESS: {"{}": first + 40}})


def test_how_long_a_process_had_lived_is_asked_of_the_one_that_made_the_run(answers):
    variables = {each.name: each.query for each in window_variables(Run("base"), Run("new"))}
    lived = resolved(re.fullmatch(r"query_result\((.*)\)", variables["base_lived"])[1])
    fed = {'stream_client_run_start_timestamp_seconds{run_id="x"}': "_x5 301.5+0x5"}
    fed |= {
        "process_start_time_seconds": "2+0x2 _x1 200.25+0x6",
        'process_start_time_seconds{instance="b"}': "250+0x10",
    }
    answers(RUN | fed, {lived: {"{}": 100_750}})
    answers({"process_start_time_seconds": "2+0x10"}, {lived: {"{}": 1}})


def test_a_run_s_total_is_of_the_load_generator_that_made_it(answers):
    made = {'stream_client_run_info{run_id="x", instance="a"}': "_x5 1+0x5"}
    counted = {f'{CHUNKS}{{instance="{each}"}}': "_x5 0+10x5" for each in "ab"}
    answers(made | counted, {GROWTH: {"{}": 50}})
