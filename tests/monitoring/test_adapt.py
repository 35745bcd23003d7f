"""The same dashboards for others: their data source, their jobs, their metrics' prefix; and what is no such thing."""

import json
import re
import subprocess

import promql_parser as promql
import pytest
import yaml

from monitoring import build
from streamgauge.catalog import CATALOG

pytestmark = pytest.mark.timeout(360)

OPTIONS = ["--prefix", "acme_", "--job", 'api|"load"', "--datasource", "mimir-1", "--app-job", r'api\d|"web"']
SERIES = {series for metric in CATALOG.values() for series in metric.series}


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapted")
    assert build.main([*OPTIONS, "--output", str(folder)]) == 0
    return folder


@pytest.fixture(params=[build()["uid"] for build in build.DASHBOARDS])
def dashboard(request, adapted):
    return json.loads((adapted / f"{request.param}.json").read_text())


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def test_every_metric_has_the_prefix_and_none_has_it_twice(dashboard):
    for _, text in build.queries(dashboard):
        names = re.findall(r"\b(?:acme_)*(?:stream_(?:server|client)|event_loop|http_server|process)_\w+", text)
        assert names or "ALERTS" in text
        assert {name.removeprefix("acme_") for name in names} <= SERIES
        assert all(name.startswith("acme_") for name in names)


def test_descriptions_name_the_metrics_that_are_asked_for(dashboard):
    for panel in dashboard["panels"]:
        assert "`stream_" not in panel.get("description", "")


def test_the_chosen_data_source_comes_first(dashboard):
    assert variables(dashboard)["datasource"]["current"]["value"] == "mimir-1"


def test_only_the_chosen_jobs_are_offered_and_all_stands_for_them(dashboard):
    job = variables(dashboard)["job"]
    assert job["allValue"] == 'api|"load"'
    assert r'job=~"api|\"load\""' in job["query"]["query"]
    assert r'job=~"api|\"load\""' in variables(dashboard)["run"]["query"]["query"]
    assert all(r'job=~"api|\"load\""' in each["expr"] for each in dashboard["annotations"]["list"])


def test_what_is_adapted_still_parses(dashboard):
    for _, text in build.queries(dashboard):
        query = re.sub(r"\$\{\w+\}", "30", text.replace("$__rate_interval", "8s").replace("$__range", "15m"))
        promql.parse(re.sub(r"^label_values\((.*), \w+\)$|^query_result\((.*)\)$", r"\1\2", query))


def test_the_rules_ask_for_the_same_metrics(adapted):
    text = (adapted / "rules" / "alerts.yml").read_text()
    assert "acme_stream_" in text
    assert not re.search(r"[^_:]\bstream_(server|client)_\w+_total\b", text)


def rules_of(folder):
    groups = yaml.safe_load((folder / "alerts.yml").read_text())["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_the_rules_of_odd_jobs_still_parse(adapted, promtool):
    for rule in rules_of(adapted / "rules").values():
        promql.parse(rule["expr"])
    arguments = [promtool, "check", "rules", "--lint=all", "--lint-fatal", *sorted((adapted / "rules").glob("*.yml"))]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_only_the_app_s_job_has_to_be_up(tmp_path):
    assert build.main(["--output", str(tmp_path), "--job", "api|load"]) == 0
    assert 'up{job="streamgauge-app"}' in rules_of(tmp_path / "rules")["StreamAppDown"]["expr"]
    assert build.main(["--output", str(tmp_path), "--job", "api|load", "--app-job", "my_api"]) == 0
    assert 'up{job="my_api"}' in rules_of(tmp_path / "rules")["StreamAppDown"]["expr"]


GONE = {
    "evaluation_interval": "30s",
    "tests": [
        {
            "interval": "30s",
            "external_url": "http://prometheus",
            "input_series": [{"series": 'up{job="prometheus"}', "values": "1+0x20"}],
            "alert_rule_test": [
                {
                    "alertname": "StreamAppDown",
                    "eval_time": "5m",
                    "exp_alerts": [
                        {
                            "exp_labels": {"severity": "page", "side": "server"},
                            "exp_annotations": {
                                "summary": r'api\d|"web" is down.',
                                "description": "Prometheus cannot reach any of its targets, or finds none.",
                                "runbook_url": "http://prometheus/user/StreamAppDown.md",
                            },
                        }
                    ],
                }
            ],
        }
    ],
}


def test_where_no_job_of_several_is_found_the_summary_names_them_all(adapted, tmp_path, promtool):
    path = tmp_path / "test.yml"
    path.write_text(yaml.safe_dump({"rule_files": [str(adapted / "rules" / "alerts.yml")], **GONE}))
    done = subprocess.run([promtool, "test", "rules", path], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_adapted_folder_can_be_checked(adapted):
    assert build.main(["--check", *OPTIONS, "--output", str(adapted)]) == 0
    assert build.main(["--check", "--output", str(adapted)]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prefix", "9lives", "--output", "x"], "--prefix: expected the beginning of a metric's name.*'9lives'"),
        (["--prefix", "", "--output", "x"], "--prefix: expected the beginning of a metric's name.*''"),
        (["--datasource", "my uid", "--output", "x"], "--datasource: expected a uid.*'my uid'"),
        (["--job", "(", "--output", "x"], r"--job: expected a regular expression, got '\('"),
        (["--app-job", "(", "--output", "x"], r"--app-job: expected a regular expression, got '\('"),
        (["--app-job", "api"], "--app-job: expected --output or --rules FOLDER beside '.*', got none"),
        (["--runbooks-url", "http://wiki"], "--runbooks-url: expected --output or --rules FOLDER .*'http://wiki'"),
        (["--runbooks-url", "", "--output", "x"], "--runbooks-url: expected an address.*''"),
        (["--job", "$job", "--output", "x"], r"--job: expected a regular expression without \$, got '\$job'"),
        (["--prefix", "acme_"], "--prefix: expected --output FOLDER beside '.*', got none"),
    ],
)
def test_a_bad_value_exits_2_and_names_the_option(options, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        build.main(options)
    assert stopped.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_alerts_link_to_the_runbooks_of_another_place(tmp_path):
    folders = ["--output", str(tmp_path), "--rules", str(tmp_path / "alerts")]
    assert build.main([*folders, "--runbooks-url", "https://wiki/books/"]) == 0
    urls = {rule["annotations"]["runbook_url"] for rule in rules_of(tmp_path / "alerts").values()}
    assert "https://wiki/books/StreamAppDown.md" in urls


def test_a_folder_that_cannot_be_written_exits_2(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert build.main(["--output", str(tmp_path / "file")]) == 2
    assert "--output" in capsys.readouterr().err
