"""``streamgauge calibrate`` as users run it."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

SMALL = ("--users", "5", "--run-time", "2s", "--interval-ms", "20")


class Calibration:
    """A calibration under way, which keeps its result in ``kept``."""

    def __init__(self, directory, *arguments):
        self.kept = directory / "state" / "calibration.json"
        self.process = subprocess.Popen(
            [sys.executable, "-c", "from streamgauge.cli import main; main()", "calibrate", *arguments],
            env={**os.environ, "STREAMGAUGE_CALIBRATION": str(self.kept), "TMPDIR": str(directory), "COLUMNS": "120"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait(self):
        out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, out, errors


@pytest.fixture
def calibrate(tmp_path):
    """Starts one, and ends at the end what did not end by itself."""
    started = []

    def start(*arguments):
        started.append(Calibration(tmp_path, *arguments))
        return started[-1]

    yield start
    for each in started:
        each.process.kill()
        each.process.communicate()


def test_it_prints_the_floor_and_keeps_it(calibrate, tmp_path):
    copy = tmp_path / "copy.json"
    running = calibrate(*SMALL, "-o", str(copy))
    status, out, errors = running.wait()
    assert status == 0, errors
    assert "At 5 streams × 50 chunks/s this machine measures chunk intervals to within ±" in " ".join(out.split())
    kept = json.loads(running.kept.read_text())
    assert json.loads(copy.read_text()) == kept
    assert kept["load"]["streams"] >= 5
    assert kept["load"]["chunks"] == kept["load"]["streams"] * 101


def test_client_and_log_agree(calibrate):
    running = calibrate(*SMALL, "--quiet")
    status, _, errors = running.wait()
    assert (status, errors) == (0, "")
    kept = json.loads(running.kept.read_text())
    for figures in kept["metrics"].values():
        assert set(figures) == {"p50", "p90", "p99"}
        assert all(each["client"] == pytest.approx(each["log"], rel=0.1) for each in figures.values())
    assert 0 < kept["arrival_error"]["p50"] < kept["asking"]["max"] < 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_one_keeps_nothing_and_leaves_nothing(calibrate, tmp_path, number):
    running = calibrate("--users", "5", "--run-time", "30s")
    me, deadline_s = psutil.Process(running.process.pid), time.monotonic() + 30
    while len(children := me.children()) < 2:
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    running.process.send_signal(number)
    status, out, errors = running.wait()
    assert (status, out) == (130, "")
    assert "Interrupted: nothing was calibrated" in errors
    assert "Traceback" not in errors
    assert not psutil.wait_procs(children, 10)[1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--users", "0"),
        ("--users", "many"),
        ("--interval-ms", "nan"),
        ("--interval-ms", "6000"),
        ("--run-time", "soon"),
        ("--chunk-bytes", "3"),
        ("--output", "/no/such/place/x.json"),
    ],
)
def test_a_bad_value_is_named(calibrate, option, value):
    status, out, errors = calibrate(option, value).wait()
    assert (status, out) == (2, "")
    assert option in errors
    assert value in errors
    assert "Traceback" not in errors


def test_a_place_that_cannot_be_written_is_named(calibrate, tmp_path):
    (tmp_path / "state").write_text("a file where a directory should be")
    status, out, errors = calibrate(*SMALL, "--quiet").wait()
    assert status == 2
    assert "this machine measures" in out
    assert f"$STREAMGAUGE_CALIBRATION '{tmp_path}/state/calibration.json' cannot be written" in errors
