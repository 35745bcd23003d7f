"""What a scenario's ``on_chunk`` does to its stream and to the run."""

import pytest

from benchmarks.server import Server

LOCUSTFILE = """
import gevent
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
def run(start, tmp_path_factory):
    directory = tmp_path_factory.mktemp("on_chunk")
    locustfile = directory / "scenario.py"
    locustfile.write_text(LOCUSTFILE)
    with Server() as source:
        running = start.headless(
            source.url, users=2, run_time="2s", locustfile=locustfile, result_dir=directory / "results"
        )
        return running.wait()


def streams(run, name):
    return next(each for each in run.result["streams"] if each["name"] == name)


def test_false_hangs_up_after_that_chunk_which_is_aborted_and_a_success(run):
    found = streams(run, "hangs up")
    assert list(found["outcomes"]) == ["aborted"]
    assert found["chunks"] == 3 * found["outcomes"]["aborted"]
    assert "hung up: aborted 3 3" in run.output
    assert not found["reasons"]


def test_an_exception_is_locusts_to_show_and_the_run_goes_on(run):
    assert "LookupError: no such gauge" in run.output
    assert streams(run, "raises")["outcomes"]["aborted"] > 1
    assert streams(run, "hangs up")["outcomes"]["aborted"] > 10


def test_an_exception_in_a_scenario_fails_the_run(run):
    assert run.status == run.result["verdict"]["exit_code"] == 1, run.output
    assert any("exceptions" in reason for reason in run.result["verdict"]["reasons"])
