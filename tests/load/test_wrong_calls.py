"""Calls with arguments that streamgauge does not have: the run ends at once, and says what to write instead."""

import pytest

SCENARIO = """
from locust import task
from streamgauge.load import StreamUser

async def later(event):
    return False

class Asker(StreamUser):
    @task
    def ask(self):
        {before}
        self.{call}
"""
WRONG = {
    'client.stream("GET", "/events", timeout=3)': (
        "self.client.stream(): stream() has no argument 'timeout': use first_chunk_timeout_s, idle_timeout_s or "
    ),
    'client.stream("GET", "/events", on_chunk=later)': (
        "self.client.stream(): on_chunk: expected a plain function, got the async 'later', which nothing awaits"
    ),
    'play("/events", headers={"X": 5})': "self.client.stream(): headers: X: expected text or bytes, got 5; use str(…)",
    'client.post("/login", files={})': "self.client.request(): request() has no argument 'files': encode the form ",
}


@pytest.fixture
def run(run_locust, recorder, tmp_path):
    def ended(call, *options, before="", run_time="600s"):
        locustfile = tmp_path / "scenario.py"
        locustfile.write_text(SCENARIO.format(call=call, before=before))
        load = ("--headless", "-u", 3, "-t", run_time, "-H", recorder.url, "--metrics-port", "off")
        return run_locust(locustfile, *load, *options, result_dir=tmp_path / "results")

    return ended


@pytest.mark.parametrize("call", WRONG)
def test_a_first_call_that_is_wrong_ends_the_run_with_its_reason(run, recorder, call):
    done = run(call)
    assert done.status == 2, done.output
    assert done.output.count(f"locust: error: {WRONG[call]}") == 1
    assert recorder.requests == []


def test_a_later_one_costs_its_task_and_loses_no_stream(run, recorder):
    done = run('client.stream("GET", "/x", timeout=3)', before='self.client.stream("GET", "/events")', run_time="2s")
    assert done.outcomes["completed"] == len(recorder.requests) > 0
    assert done.status == (3 if done.result["verdict"]["trust"] == "invalid" else 1)
    assert "the scenario raised " in done.output
    assert "TypeError: stream() has no argument 'timeout'" in done.output


def test_workers_log_it(run, two_processes):
    done = run('client.stream("GET", "/x", timeout=3)', *two_processes(), run_time="2s")
    assert "self.client.stream(): stream() has no argument 'timeout'" in done.output
    assert done.status == 3


def test_what_other_clients_take_is_taken(run, recorder):
    call = """client.stream("POST", "/events", data={"a": "1 2"}, params="x=1", headers=[("A", b"b"), ("Accept", None)],
                           auth=("u", "p"), cookies={"c": "d"}, stream=True)"""
    done = run(call, run_time="1s")
    asked = recorder.requests[0]
    assert (asked["path"], asked["body"]) == ("/events?x=1", b"a=1+2"), done.output
    fields = asked["headers"]
    assert fields["content-type"] == "application/x-www-form-urlencoded"
    assert (fields["a"], fields["authorization"], fields["cookie"]) == ("b", "Basic dTpw", "c=d")
    assert "accept" not in fields
