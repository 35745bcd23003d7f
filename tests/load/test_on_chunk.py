"""What a scenario's ``on_chunk`` does to its stream and to the run."""

import re

import pytest

from benchmarks.testbed.server import Server

SEVERAL = 8
RAISED = "LookupError: no such gauge"
LOCUSTFILE = """
from locust import task
from locust.exception import StopUser
from streamgauge.load import StreamUser

class HangsUp(StreamUser):
    fixed_count = 1
    @task
    def listen(self):
        seen = []
        record = self.client.stream("GET", "/sse?chunks=50&interval_ms=20", protocol="sse", name="hangs up",
                                    on_chunk=lambda event: seen.append(event.data) or len(seen) < 3)
        print("hung up:", record.outcome, record.chunks, len(seen), flush=True)

class Raises(StreamUser):
    fixed_count = 1
    @task
    def listen(self):
        self.client.stream("GET", "/sse?chunks=5&interval_ms=20", protocol="sse", name="raises", on_chunk=self.look)

    def look(self, event):
        raise LookupError("no such gauge")
"""


@pytest.fixture(scope="module")
def run(start, until, tmp_path_factory):
    """A run that goes on until each of its users has had several streams."""
    directory = tmp_path_factory.mktemp("on_chunk")
    locustfile = directory / "scenario.py"
    locustfile.write_text(LOCUSTFILE)
    with Server() as source:
        running = start.headless(
            source.url, users=2, run_time="300s", locustfile=locustfile, result_dir=directory / "results"
        )
        until(lambda: min(map(running.output.count, ("hung up:", RAISED))) > SEVERAL, "both have gone on")
        return running.stop()


def streams(run, name):
    return next(each for each in run.result["streams"] if each["name"] == name)


def test_false_hangs_up_after_that_chunk_which_is_aborted_and_a_success(run):
    """Chunks that came in the same read have arrived, and are counted; it sees none of them."""
    found = streams(run, "hangs up")
    assert list(found["outcomes"]) == ["aborted"]
    assert not found["reasons"]
    records = re.findall(r"^hung up: (\w+) (\d+) (\d+)$", run.output, re.MULTILINE)
    assert {(outcome, seen) for outcome, _, seen in records} == {("aborted", "3")}
    assert found["chunks"] >= 3 * found["outcomes"]["aborted"] == 3 * len(records)
    assert found["chunks"] == sum(int(chunks) for _, chunks, _ in records)
    assert (found["chunks"] > 3 * len(records)) <= (found["coalesced_share"] > 0)


def test_an_exception_is_locusts_to_show_and_the_run_goes_on(run):
    assert RAISED in run.output
    found = streams(run, "raises")
    assert found["outcomes"]["check_failed"] > 1
    assert list(found["reasons"]) == ["check_failed: the scenario raised LookupError('no such gauge')"]
    assert streams(run, "hangs up")["outcomes"]["aborted"] > SEVERAL


def test_an_exception_in_a_scenario_fails_the_run(run):
    assert run.status == run.result["verdict"]["exit_code"] == 1, run.output
    assert any("exceptions" in reason for reason in run.result["verdict"]["reasons"])
