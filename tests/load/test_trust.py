"""Runs in which something was done to the generator are not called trusted, and say what it was."""

import json
import signal
import subprocess
import sys
import time

import pytest

from benchmarks.locust_run import run_locust
from benchmarks.server import ROOT

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
    running = start.headless(source.url, *PACED, users=5, run_time="3s", result_dir=tmp_path)
    until(lambda: list(tmp_path.glob("*/timeline.ndjson")), "a second was measured")
    running.process.send_signal(signal.SIGSTOP)
    time.sleep(0.4)
    running.process.send_signal(signal.SIGCONT)
    run = running.wait()
    assert "the generator did not get to run for" in reasons(run)
    assert run.result["generator"]["longest_pause_s"] >= 0.3


@pytest.mark.parametrize("by_s", [0.02, -0.02, 3600])
def test_a_wall_clock_that_stepped_is_in_the_verdict(source, tmp_path, by_s):
    load = ("--headless", "--only-summary", "-H", source.url, "-u", 3, "-r", 10, "-t", "2s")
    step = {"STREAMGAUGE_STEP": f"0.5:{by_s}"}
    run = run_locust(
        ROOT / "benchmarks/peers/stepped_clock.py", *load, *PACED, result_dir=tmp_path, variables=step, timeout_s=60
    )
    assert "the wall clock stepped once" in reasons(run)
    assert run.result["generator"]["clock_steps"] == 1


def test_chunks_that_come_in_pairs_are_not_timed_one_by_one(start, source, tmp_path):
    pairs = ("--stream-path", "/sse?chunks=20&interval_ms=25&burst=2", "--stream-end", "event:done")
    run = start.headless(source.url, *pairs, users=5, run_time="2s", result_dir=tmp_path).wait()
    assert "of chunks shared a read" in reasons(run)


@pytest.fixture
def garbled(start, source, two_processes, tmp_path):
    """A run of two workers that send reports nobody can read: some of them, or all."""

    def run(which):
        locustfile = tmp_path / "garbled.py"
        locustfile.write_text(GARBLED.format(which=which))
        load = (*PACED, *two_processes())
        results = tmp_path / "results"
        return start.headless(
            source.url, *load, users=2, run_time="2s", locustfile=locustfile, result_dir=results
        ).wait()

    return run


def test_a_report_that_cannot_be_read_is_in_the_verdict(garbled):
    run = garbled("len(seen) == 1")
    assert "could not be read: does it run the same version of streamgauge?" in reasons(run)
    assert "Traceback" not in run.output


def test_a_run_of_which_no_report_can_be_read_fails(garbled):
    run = garbled("True")
    assert (run.status, run.results) == (3, [])
    assert "cannot report on this run" in run.output


def test_a_result_carries_the_last_calibration_of_the_machine(start, source, tmp_path, monkeypatch):
    kept = tmp_path / "calibration.json"
    monkeypatch.setenv("STREAMGAUGE_CALIBRATION", str(kept))
    load = {"users": 2, "run_time": "1s"}
    before = start.headless(source.url, *PACED, **load, result_dir=tmp_path / "before").wait()
    assert before.result["generator"]["calibration"] is None
    small = ("calibrate", "--users", "2", "--run-time", "1s", "--interval-ms", "20", "--quiet")
    subprocess.run([sys.executable, "-c", CALL, *small], check=True, timeout=60, stdout=subprocess.DEVNULL)
    after = start.headless(source.url, *PACED, **load, result_dir=tmp_path / "after").wait()
    found = after.result["generator"]["calibration"]
    assert 0 <= found.pop("age_s") < 120
    assert found == json.loads(kept.read_text())
    assert "calibrated just now at 2 streams × 50 chunks/s" in after.output
