"""Runs in which something was done to the generator are not called trusted, and say what it was."""

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from benchmarks.testbed.server import ROOT, Server
from tests.load.conftest import answering

pytestmark = pytest.mark.timeout(600)

PACED = ("--stream-path", "/sse?chunks=20&interval_ms=25", "--stream-end", "event:done")
CALL = "from streamgauge.cli import main; main()"
GARBLED = """
from locust import events
from loadtests.sse import SseListener

seen = []

@events.init.add_listener
def after_all_others(environment, **_):
    environment.events.report_to_master.add_listener(garble)

def garble(client_id, data, **_):
    if data.get("streamgauge"):
        seen.append(1)
        if {which}:
            data["streamgauge"] = [{{"t_s": "soon"}}]
"""


def reasons(run):
    assert run.result["verdict"]["trust"] != "trusted", run.output
    return " ".join(run.result["verdict"]["reasons"])


def test_a_generator_that_was_suspended_is_not_trusted(start, source, until, tmp_path):
    running = start.headless(source.url, *PACED, users=5, run_time="300s", result_dir=tmp_path)
    until(running.points, "a second was measured")
    os.kill(running.child.pid, signal.SIGSTOP)
    until(lambda: psutil.Process(running.child.pid).status() == psutil.STATUS_STOPPED, "it stands still")
    time.sleep(0.4)
    os.kill(running.child.pid, signal.SIGCONT)
    run = running.stop()
    assert "the generator was stopped for" in reasons(run)
    assert run.result["generator"]["longest_pause_s"] >= 0.4


STEPS_S = (0.02, -0.02, 3600)


@pytest.fixture(scope="module")
def stepped(run_locust, tmp_path_factory):
    """Runs during which the wall clock steps, all at once: they mostly wait."""
    load = ("--headless", "--only-summary", "-u", 3, "-r", 10, "-t", "2s", *PACED)

    def run(by_s):
        step, place = {"STREAMGAUGE_STEP": f"0.5:{by_s}"}, tmp_path_factory.mktemp("stepped")
        options = {"result_dir": place, "variables": step, "timeout_s": 180}
        return run_locust(ROOT / "benchmarks/testbed/stepped_clock.py", "-H", source.url, *load, **options)

    with Server() as source, ThreadPoolExecutor() as pool:
        return dict(zip(STEPS_S, pool.map(run, STEPS_S), strict=True))


@pytest.mark.parametrize("by_s", STEPS_S)
def test_a_wall_clock_that_stepped_is_in_the_verdict(stepped, by_s):
    run = stepped[by_s]
    assert "the wall clock stepped once" in reasons(run)
    assert run.result["generator"]["clock_steps"] == 1


class InPairs(http.server.BaseHTTPRequestHandler):
    """Sends ten pairs of events, each in one write, so that no machine is too busy to read them together."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for number in range(10):
            time.sleep(0.05)
            pair = b"data: x\n\n" + (b"event: done\n" if number == 9 else b"") + b"data: x\n\n"
            self.wfile.write(b"%x\r\n%b\r\n" % (len(pair), pair))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *_):
        """Say nothing."""


def test_chunks_that_come_in_pairs_are_not_timed_one_by_one(start, tmp_path):
    with answering(InPairs) as source:
        done = ("--stream-path", "/", "--stream-end", "event:done")
        run = start.headless(source.url, *done, users=5, run_time="2s", result_dir=tmp_path).wait()
    assert "shared a read with other data" in reasons(run)
    (streams,) = run.result["streams"]
    assert streams["coalesced_share"] == 1


@pytest.fixture
def unix_host(tmp_path_factory, until):
    """The sample app on a Unix socket, where the kernel stamps nothing."""
    place = tmp_path_factory.mktemp("u") / "s"
    command = (sys.executable, "-m", "uvicorn", "--factory", "target_app.app:create_app", "--uds", str(place))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as app:
        until(lambda: place.exists() or app.poll() is not None, "the app listens")
        yield f"http+unix://{str(place).replace('/', '%2F')}"
        app.terminate()


def test_reads_without_kernel_stamps_are_in_the_verdict(start, unix_host, tmp_path):
    stream = ("--stream-path", "/stream/sse?chunks=20&interval_ms=25", "--stream-end", "event:done")
    run = start.headless(unix_host, *stream, users=2, run_time="2s", result_dir=tmp_path).wait()
    assert "100.0% of reads had no usable kernel timestamp" in reasons(run)
    assert run.result["generator"]["timestamps"] == "read"
    assert run.result["generator"]["lag"]["max"] is None
    assert set(run.outcomes) == {"completed"}, run.output


SOME, ALL = "len(seen) == 1", "True"


@pytest.fixture(scope="module")
def garbled(start, two_processes, tmp_path_factory):
    """Runs of two workers that send reports nobody can read: some of them, or all. Both at once."""
    running = {}
    with Server() as source:
        for which in (SOME, ALL):
            place = tmp_path_factory.mktemp("garbled")
            (place / "garbled.py").write_text(GARBLED.format(which=which))
            files = {"locustfile": place / "garbled.py", "result_dir": place / "results"}
            running[which] = start.headless(source.url, *PACED, *two_processes(), users=2, run_time="2s", **files)
        return {which: each.wait() for which, each in running.items()}


def test_a_report_that_cannot_be_read_is_in_the_verdict(garbled):
    run = garbled[SOME]
    assert "could not be read: does it run the same version of streamgauge?" in reasons(run)
    assert "Traceback" not in run.output


def test_a_run_of_which_no_report_can_be_read_cannot_be_judged(garbled):
    run = garbled[ALL]
    assert (run.status, run.result["verdict"]["trust"]) == (3, "invalid"), run.output
    assert "no stream was counted" in reasons(run)
    assert "could not be read" in reasons(run)


IDLE = """
import time
from locust import User, task
from streamgauge.load import StreamUser

class Idle({which}):
    @task
    def wait(self):
        time.sleep(0.1)
"""


@pytest.fixture(scope="module")
def idle(start, tmp_path_factory):
    """Runs of users that start no stream: those that could, and Locust's own. Both at once."""
    running = {}
    for which in ("StreamUser", "User"):
        place = tmp_path_factory.mktemp("idle")
        (place / "idle.py").write_text(IDLE.format(which=which))
        files = {"locustfile": place / "idle.py", "result_dir": place / "results"}
        running[which] = start.headless("http://127.0.0.1:1", users=1, run_time="1s", **files)
    return {which: each.wait() for which, each in running.items()}


def test_stream_users_that_start_no_stream_cannot_be_judged(idle):
    run = idle["StreamUser"]
    assert (run.status, run.result["verdict"]["trust"]) == (3, "invalid"), run.output
    assert "nothing was measured" in reasons(run)
    assert "no stream started" in run.output


def test_users_that_do_not_stream_are_left_to_locust(idle):
    run = idle["User"]
    assert (run.status, run.results) == (0, []), run.output
    assert "No stream was started, so streamgauge has nothing to report" in run.output


def test_workers_that_are_lost_before_they_stream_make_a_run_that_cannot_be_judged(
    start, source, two_processes, tmp_path
):
    """They stand still before they have started a user, as where others have the CPU; Locust gives them up."""
    load = ("-H", source.url, "-u", 2, "-r", 0.1, "-t", "6s", *PACED)
    locustfile = ROOT / "tests/load/locustfiles/frozen.py"
    run = start("--headless", *load, *two_processes(), locustfile=locustfile, result_dir=tmp_path).wait()
    assert (run.status, run.result["verdict"]["trust"]) == (3, "invalid"), run.output
    assert "nothing was measured: no stream was counted" in reasons(run)
    assert "2 workers did not report the end of their streams" in reasons(run)


def test_a_result_carries_the_last_calibration_of_the_machine(start, source, tmp_path, monkeypatch):
    kept = tmp_path / "calibration.json"
    monkeypatch.setenv("STREAMGAUGE_CALIBRATION", str(kept))
    load = {"users": 2, "run_time": "1s"}
    before = start.headless(source.url, *PACED, **load, result_dir=tmp_path / "before").wait()
    assert before.result["generator"]["calibration"] is None
    small = ("calibrate", "--users", "2", "--run-time", "1s", "--interval-ms", "20", "--quiet")
    began_s = time.time()
    calibrated = subprocess.run([sys.executable, "-c", CALL, *small], timeout=180, stdout=subprocess.DEVNULL)
    busy = json.loads(kept.read_text())["trust"] == "invalid"
    assert calibrated.returncode == (3 if busy else 0)
    after = start.headless(source.url, *PACED, **load, result_dir=tmp_path / "after").wait()
    found = after.result["generator"]["calibration"]
    assert 0 <= found.pop("age_s") <= time.time() - began_s
    assert found == json.loads(kept.read_text())
    assert re.search(r"calibrated (just now|\d+ min ago) at 2 streams × 50 chunks/s", after.output)
