"""What Locust's image carries beside Locust: the worker's health check, and the command that starts a run."""

import runpy
import subprocess
import sys

import pytest

from benchmarks.testbed.server import ROOT
from streamgauge.runner.load_plan import environment_without_locust

LOCUST = ROOT / "deploy" / "locust"
NOBODY_LISTENS = "http://127.0.0.1:9"


def load(*arguments, **variables):
    around = environment_without_locust(
        {"LOAD_MASTER": NOBODY_LISTENS, "LOCUST_LOCUSTFILE": "loadtests/locustfile.py", **variables}
    )
    return subprocess.run(
        [sys.executable, LOCUST / "load.py", *arguments],
        cwd=ROOT,
        env={**around, "LOCUST_STREAM_RESULT_DIR": str(LOCUST)},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


@pytest.mark.parametrize(
    ("workers", "expected"),
    [
        ([{"id": "abc_1", "state": "ready"}], None),
        ([{"id": "abc_1", "state": "missing"}, {"id": "abc_2", "state": "running"}], None),
        ([{"id": "abc_1", "state": "missing"}], "misses the worker on abc"),
        ([{"id": "abcd_1", "state": "ready"}], "does not know a worker on abc"),
        ([], "does not know a worker on abc"),
    ],
    ids=["connected", "rejoined", "missing", "another host's", "none"],
)
def test_a_worker_is_healthy_when_the_master_counts_it(workers, expected):
    complaint = runpy.run_path(str(LOCUST / "worker_health.py"))["complaint"](workers, "abc")
    assert complaint == expected or expected in complaint


def test_a_worker_without_its_master_is_not_healthy():
    done = subprocess.run(
        [sys.executable, "-IS", LOCUST / "worker_health.py"],
        env={"LOCUST_MASTER_WEB": NOBODY_LISTENS},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert done.returncode == 1
    assert NOBODY_LISTENS in done.stderr
    assert "Traceback" not in done.stderr


def test_a_master_that_is_not_there_is_named():
    done = load()
    assert done.returncode == 2
    assert f"make load: {NOBODY_LISTENS}/stats/requests: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--users", "0"), "argument -u/--users: expected a whole number above 0, got '0'"),
        (("--run-time", "fast"), "argument -t/--run-time: expected a time such as 60, 60s, 3m or 1h30m, got 'fast'"),
        (("--spawn-rate", "nan"), "argument -r/--spawn-rate: expected a number above 0, got 'nan'"),
        (("--stream-path", "events"), "argument --stream-path: expected a path that starts with /"),
        (("--stream-pth", "/"), "unrecognized arguments: --stream-pth"),
        (("--metrics-port", "5"), "argument --metrics-port: a run cannot change it"),
        (("Nobody",), "expected user classes of ['Downloader', 'NdjsonReader', 'SseListener'], got ['Nobody']"),
    ],
    ids=lambda each: each[0] if isinstance(each, tuple) else "",
)
def test_an_impossible_option_is_named_with_its_value(arguments, problem):
    done = load(*arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("make load: error: ")
    assert problem in done.stderr
    assert "Traceback" not in done.stderr


def test_options_of_the_stack_are_read_before_those_of_the_run():
    done = load(LOCUST_ARGS="--idle-timeout 'soon'")
    assert (done.returncode, "got 'soon'" in done.stderr) == (2, True)
    done = load("--idle-timeout", "later", LOCUST_ARGS="--idle-timeout 5 --tags smoke")
    assert (done.returncode, "got 'later'" in done.stderr) == (2, True)
