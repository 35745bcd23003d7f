"""Options that change only what ``play`` runs: a scenario that does not call it says so, in the log and the result."""

import pytest

from tests.load.play_only import GIVEN, PLAY_ONLY, SWITCHES

SCENARIO = """
from locust import constant, task
from streamgauge.load import StreamUser

class Listener(StreamUser):
    wait_time = constant(0.1)
    @task
    def listen(self):
        self.client.stream("GET", "/own", protocol="sse", headers={"X-One": "scenario", "x-two": "scenario"})

class Player(StreamUser):
    wait_time = constant(0.1)
    @task
    def listen(self):
        self.play("/own", protocol="ndjson")
"""


@pytest.fixture
def run(start, recorder, tmp_path):
    """Runs some of the scenario's user classes."""
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(SCENARIO)

    def run_classes(*options, classes=("Listener",), run_time="2s", users=1):
        load = {"users": users, "run_time": run_time, "locustfile": locustfile, "result_dir": tmp_path / "results"}
        return start.headless(recorder.url, *options, *classes, **load).wait()

    return run_classes


def warnings(run):
    return run.result["run"].get("warnings", [])


def test_headers_of_the_command_line_are_sent_with_every_stream_and_win(run, recorder):
    done = run("--stream-header", "Authorization: Bearer abc", "--stream-header", "x-ONE: user")
    for each in recorder.requests:
        fields = each["headers"]
        assert (fields["authorization"], fields["x-one"], fields["x-two"]) == ("Bearer abc", "user", "scenario")
    assert recorder.requests
    assert warnings(done) == []


def test_time_limits_of_the_command_line_hold_for_every_stream(run, recorder):
    done = run("--first-chunk-timeout", "0.01", "--refusal-pause", "0")
    assert set(done.outcomes) <= {"stalled", "censored"}
    assert done.outcomes["stalled"]


def test_each_option_that_only_play_reads_is_named_once_in_log_and_result(run, recorder):
    done = run(*GIVEN)
    (said,) = warnings(done)
    assert [option for option in (*PLAY_ONLY, *SWITCHES) if option not in said] == []
    assert "Listener" in said
    assert "self.play()" in said
    assert done.output.count(said) == 1
    assert {each["path"] for each in recorder.requests} == {"/own"}


def test_a_scenario_that_plays_has_nothing_to_be_warned_of(run, recorder):
    assert warnings(run("--stream-path", "/other", "--stream-accept", "a/b", classes=("Player",))) == []
    assert {(each["path"], each["headers"]["accept"]) for each in recorder.requests} == {("/other", "a/b")}


def test_a_stream_that_is_no_event_stream_is_not_reconnected_and_says_so(run):
    (said,) = warnings(run("--stream-reconnect", "2", classes=("Player",)))
    assert said.startswith("--stream-reconnect: not used by Player, ")


def test_what_workers_did_not_use_is_known_to_the_master(run, two_processes):
    (said,) = warnings(run("--stream-path", "/other", *two_processes(), users=2, run_time="3s"))
    assert "Listener" in said


def test_what_one_worker_used_is_used(run, two_processes):
    options = ("--stream-path", "/other", *two_processes())
    (said,) = warnings(run(*options, classes=("Listener", "Player"), users=2, run_time="3s"))
    assert "Player" not in said


def test_statistics_that_were_reset_forget_no_use(run):
    assert warnings(run("--stream-path", "/other", "--reset-stats", classes=("Player",))) == []


def test_it_is_logged_while_the_run_goes_on(start, recorder, tmp_path, until):
    locustfile = tmp_path / "scenario.py"
    locustfile.write_text(SCENARIO)
    more = {"users": 1, "run_time": None, "locustfile": locustfile, "result_dir": tmp_path / "results"}
    running = start.headless(recorder.url, "--stream-path", "/other", "Listener", **more)
    until(lambda: "--stream-path: not used by Listener" in running.output, "the warning is logged")
    assert running.child.running
    logged = [line for line in running.stop().output.splitlines() if "--stream-path: not used by Listener" in line]
    assert ["WARNING" in line for line in logged] == [True, False]  # the second one is the table's
