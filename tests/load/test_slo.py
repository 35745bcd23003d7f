"""Runs with SLO rules end with the status of their rules, and show each rule everywhere."""

import html
import json

import pytest

SCENARIO = """
import os

from locust import constant, task
from streamgauge.load import StreamUser

class Listener(StreamUser):
    wait_time = constant(0.05)

    @task(9)
    def listen(self):
        self.client.stream("GET", "/events", protocol="sse", end="event:done")

    if os.environ.get("FAILING"):
        @task
        def fail(self):
            self.client.stream("GET", "/status/503", protocol="sse")
"""
TABLE = '[tool.streamgauge]\nslo = ["{}"]\n'


@pytest.fixture
def run(run_locust, recorder, tmp_path):
    """Runs the scenario in a directory of its own."""
    (tmp_path / "scenario.py").write_text(SCENARIO)

    def ended(*rules, failing=False, run_time="2s"):
        options = [word for rule in rules for word in ("--slo", rule)]
        load = ("--headless", "-u", 2, "-r", 100, "-t", run_time, "-H", recorder.url, "--metrics-port", "off")
        more = {"result_dir": tmp_path / "results", "cwd": tmp_path, "variables": {"FAILING": "yes" if failing else ""}}
        return run_locust(tmp_path / "scenario.py", *load, "--refusal-pause", 0, *options, **more)

    return ended


def status(done, expected):
    """The status that a run should end with, unless the machine was too busy to measure."""
    return 3 if done.result["verdict"]["trust"] == "invalid" else expected


def test_a_run_fails_by_a_rule_and_every_rule_has_its_line(run, tmp_path):
    rules = (
        "/events/completed.ratio > 99%",
        "time_to_first_chunk.p99 < 1µs",
        "/event/failed == 0",
        "duration.p99 < 30s",
    )
    done = run(*rules)
    verdict = done.result["verdict"]
    assert done.status == verdict["exit_code"] == status(done, 1), done.output
    first, second, third, fourth = verdict["slo"]
    assert [each["rule"] for each in verdict["slo"]] == list(rules)
    assert [each["passed"] for each in verdict["slo"]] == [True, False, False, True]
    (streams,) = done.result["streams"]
    assert (first["observed"], second["observed"]) == (1.0, streams["time_to_first_chunk"]["p99"])
    assert fourth["observed"] == streams["duration"]["p99"]
    assert third["observed"] is None
    assert third["reason"] == "no stream has the name '/event'; did you mean '/events'? Names of this run: '/events'"
    assert done.result["run"]["slo_source"] == "--stream-slo"
    assert done.result["run"]["command"].count("--stream-slo") == len(rules)
    (report,) = (tmp_path / "results").rglob("report.html")
    for text in (" ".join(done.output.split()), html.unescape(report.read_text())):
        assert [word for word in (*rules, "✓ passed", "✗ failed: no data", third["reason"]) if word not in text] == []
    assert "2 of 4 SLO rules failed" in done.output


def test_with_rules_of_the_file_streams_that_fail_do_not_fail_the_run(run, tmp_path):
    (tmp_path / "pyproject.toml").write_text(TABLE.format("failed.ratio < 90%"))
    done = run(failing=True)
    assert done.outcomes["http_error"] > 0
    assert done.status == status(done, 0), done.output
    assert "1 SLO rule passed" in done.output
    assert "1 SLO rule, from pyproject.toml in the working directory" in done.output
    assert json.dumps(done.result["run"]["command"]).count("--stream-slo 'failed.ratio < 90%'") == 1


def test_the_option_wins_over_the_file(run, tmp_path):
    (tmp_path / "pyproject.toml").write_text(TABLE.format("this is wrong"))
    done = run("failed == 0", run_time="1s")
    assert done.status == status(done, 0), done.output
    assert [each["rule"] for each in done.result["verdict"]["slo"]] == ["failed == 0"]
    assert "--stream-slo; those of pyproject.toml are not used" in done.output


WRONG = {
    "of the option": (
        "time_to_first_chunck.p99 < 1s",
        "",
        "argument --stream-slo/--slo: 'time_to_first_chunck.p99 < 1s': ",
    ),
    "of the file": ("", TABLE.format("failed.ratio < 3ms"), "pyproject.toml, [tool.streamgauge] slo: 'failed.ratio"),
    "no list": ("", '[tool.streamgauge]\nslo = "failed == 0"\n', "expected a list of texts, such as"),
}


@pytest.mark.parametrize(("rule", "file", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_rule_is_refused_before_anything_runs(run, recorder, tmp_path, rule, file, words):
    (tmp_path / "pyproject.toml").write_text(file)
    done = run(*filter(None, [rule]))
    assert done.status == 2
    assert done.output.count(": error: ") == 1
    assert words in done.output
    assert (recorder.requests, done.results) == ([], [])
