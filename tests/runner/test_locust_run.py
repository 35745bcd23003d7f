"""Locust as a child: a run that ends, one that does not begin, and one that takes too long."""

import subprocess

import psutil
import pytest

from benchmarks.testbed.server import Server
from streamgauge.report.live_display import Display
from streamgauge.runner.finished_run import run_locust
from streamgauge.runner.interrupt import Interrupt, Interrupted
from streamgauge.runner.load_plan import LoadPlan, environment_without_locust
from streamgauge.runner.locust_run import LocustRun
from streamgauge.runner.process import ChildError, Children

LISTENER = """
from locust import task
from streamgauge.load import StreamUser

class Listener(StreamUser):
    @task
    def listen(self):
        self.play("/sse?chunks=10&interval_ms=20", protocol="sse", end="event:done")
"""


@pytest.fixture(scope="module")
def source():
    with Server() as server:
        yield server


@pytest.fixture
def run(tmp_path, source):
    """Makes a run of a locustfile's text."""

    def make(text, interrupt):
        (locustfile := tmp_path / "mine.py").write_text(text)
        (tmp_path / "results").mkdir()
        plan = LoadPlan(
            locustfile=locustfile,
            host=source.url,
            users=2,
            spawn_rate=2,
            run_time_s=1,
            result_dir=tmp_path / "results",
            log=tmp_path / "locust.log",
            environment=environment_without_locust(),
            options=("--metrics-port", "off"),
        )
        return LocustRun(plan, children, interrupt)

    with Children() as children:
        yield make


def test_a_run_is_followed_to_its_result_and_keeps_its_log(run):
    found = run(LISTENER, Interrupt())
    found.start()
    found.follow(Display(quiet=True), lambda: False)
    assert found.timeline.finished > 0
    assert found.finished() == found.directory
    assert {"result.json", "timeline.ndjson", "locust.log"} <= {each.name for each in found.directory.iterdir()}


def test_a_run_that_must_end_ends_early_and_keeps_its_result(run):
    found = run(LISTENER.replace("chunks=10", "chunks=20"), Interrupt())
    found.start()
    found.follow(Display(quiet=True), lambda: found.timeline.started > 0)
    assert (found.finished() / "result.json").exists()


def test_why_locust_began_no_run_is_told(run):
    with pytest.raises(ChildError, match=r"^Locust ended while it started, with status 1$") as error:
        run("raise RuntimeError('no such river')", Interrupt()).start()
    assert "no such river" in error.value.last_output


def test_an_interrupt_at_the_start_leaves_neither_run_nor_log(run, tmp_path):
    interrupt = Interrupt()
    interrupt.requested = True
    with pytest.raises(Interrupted):
        run(LISTENER, interrupt).start()
    assert not list((tmp_path / "results").iterdir())
    assert not (tmp_path / "locust.log").exists()


def test_a_run_to_the_end_gives_status_output_and_results(source, tmp_path):
    (tmp_path / "mine.py").write_text(LISTENER)
    options = ("--headless", "-H", source.url, "-u", 2, "-t", "1s", "--metrics-port", "off")
    done = run_locust(tmp_path / "mine.py", *options, result_dir=tmp_path / "results")
    assert done.status == (3 if done.result["verdict"]["trust"] == "invalid" else 0), done.output
    assert done.outcomes.total() >= 2
    assert done.chunks >= 2 * 11
    assert "Shutting down" in done.output


def test_a_run_that_takes_too_long_is_killed(tmp_path):
    (tmp_path / "mine.py").write_text("import time\ntime.sleep(600)")
    with pytest.raises(subprocess.TimeoutExpired):
        run_locust(tmp_path / "mine.py", timeout_s=2)
    assert not [each for each in psutil.process_iter(["cmdline"]) if str(tmp_path) in (each.info["cmdline"] or ())]
