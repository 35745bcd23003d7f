"""The same dashboards for others: their data source, their jobs, their metrics' prefix; and what is no such thing."""

import json
import re

import promql_parser as promql
import pytest

from monitoring import build
from streamgauge.catalog import CATALOG

SERIES = {series for metric in CATALOG.values() for series in metric.series}


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("adapted")
    options = ["--prefix", "acme_", "--job", 'api|"load"', "--datasource", "mimir-1"]
    assert build.main([*options, "--output", str(folder)]) == 0
    return folder


@pytest.fixture(params=[build()["uid"] for build in build.DASHBOARDS])
def dashboard(request, adapted):
    return json.loads((adapted / f"{request.param}.json").read_text())


def variables(dashboard):
    return {variable["name"]: variable for variable in dashboard["templating"]["list"]}


def test_every_metric_has_the_prefix_and_none_has_it_twice(dashboard):
    for _, text in build.queries(dashboard):
        names = re.findall(r"\b(?:acme_)*(?:stream_(?:server|client)|event_loop|http_server)_\w+", text)
        assert names
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


def test_the_adapted_folder_can_be_checked(adapted):
    options = ["--prefix", "acme_", "--job", 'api|"load"', "--datasource", "mimir-1", "--output", str(adapted)]
    assert build.main(["--check", *options]) == 0
    assert build.main(["--check", "--output", str(adapted)]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--prefix", "9lives", "--output", "x"], "--prefix: expected the beginning of a metric's name.*'9lives'"),
        (["--prefix", "", "--output", "x"], "--prefix: expected the beginning of a metric's name.*''"),
        (["--datasource", "my uid", "--output", "x"], "--datasource: expected a uid.*'my uid'"),
        (["--job", "(", "--output", "x"], r"--job: expected a regular expression, got '\('"),
        (["--job", "$job", "--output", "x"], r"--job: expected a regular expression without \$, got '\$job'"),
        (["--prefix", "acme_"], "--prefix: expected --output FOLDER beside it, got none"),
    ],
)
def test_a_bad_value_exits_2_and_names_the_option(options, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        build.main(options)
    assert stopped.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_a_folder_that_cannot_be_written_exits_2(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert build.main(["--output", str(tmp_path / "file")]) == 2
    assert "--output" in capsys.readouterr().err
