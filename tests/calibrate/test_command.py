"""``streamgauge calibrate`` as users run it."""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from benchmarks.trust import ABSOLUTE_S, RELATIVE

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
        out, errors = self.process.communicate(timeout=180)
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


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A calibration that has ended: its status, what it printed, what it kept and what it copied."""
    directory, began_s = tmp_path_factory.mktemp("calibration"), time.monotonic()
    running = Calibration(directory, *SMALL, "-o", str(directory / "copy.json"))
    status, out, errors = running.wait()
    assert running.kept.exists(), errors
    took_s = time.monotonic() - began_s
    return status, out, json.loads(running.kept.read_text()), json.loads((directory / "copy.json").read_text()), took_s


def status_of(kept):
    """A machine that is too busy to measure at all is said to be."""
    return 3 if kept["trust"] == "invalid" else 0


def test_it_prints_the_floor_and_keeps_it(done):
    status, out, kept, copy, _ = done
    assert status == status_of(kept)
    assert "At 5 streams × 50 chunks/s this machine measures chunk intervals to within ±" in " ".join(out.split())
    assert copy == kept
    assert kept["load"]["streams"] > 0
    assert kept["load"]["chunks"] == kept["load"]["streams"] * 101


def test_where_the_run_is_trusted_client_and_log_agree(done):
    _, _, kept, _, _ = done
    assert bool(kept["reasons"]) is (kept["trust"] != "trusted")
    for figures in kept["metrics"].values():
        assert set(figures) == {"p50", "p90", "p99"}
        for each in figures.values():
            slack_s = max(RELATIVE * each["log"], ABSOLUTE_S)
            agrees = each["least"] - slack_s <= each["client"] <= each["most"] + slack_s
            assert agrees or kept["trust"] != "trusted", each
            assert each["difference"] == each["client"] - each["log"]


def test_what_a_stream_waited_for_is_no_longer_than_the_calibration(done):
    _, _, kept, _, took_s = done
    for part in ("arrival_error", "asking"):
        assert 0 < kept[part]["p50"] <= kept[part]["max"] < took_s


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_one_keeps_nothing_and_leaves_nothing(calibrate, until, tmp_path, number):
    running = calibrate("--users", "5", "--run-time", "30m")
    me = psutil.Process(running.process.pid)
    children = until(lambda: len(found := me.children()) >= 2 and found, "both processes run")
    running.process.send_signal(number)
    status, out, errors = running.wait()
    assert (status, out) == (130, "")
    assert "Interrupted: the calibration has no figures" in errors
    assert "Traceback" not in errors
    assert not psutil.wait_procs(children, 60)[1]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--users", "0"),
        ("--users", "many"),
        ("--interval-ms", "nan"),
        ("--interval-ms", "6000"),
        ("--interval-ms", "1e-09"),
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
    status, out, errors = calibrate(*SMALL, "--quiet", "-o", str(tmp_path / "copy.json")).wait()
    assert status == 2
    assert json.loads((tmp_path / "copy.json").read_text())["load"]["users"] == 5
    assert "Calibrating" not in errors
    assert "this machine measures" in out
    assert f"$STREAMGAUGE_CALIBRATION '{tmp_path}/state/calibration.json' cannot be written" in errors
