"""What Locust's image carries beside Locust: the worker's health check, and the command that starts a run."""

import json
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

LOCUST = Path(__file__).parents[2] / "deploy" / "locust"
NOBODY_LISTENS = "http://127.0.0.1:9"


def load(*arguments):
    command = [sys.executable, LOCUST / "load.py", "--master", NOBODY_LISTENS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=180)


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
    assert done.stderr.startswith(f"load.py: {NOBODY_LISTENS}/stats/requests: ")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("arguments", [("--users", "0"), ("--seconds", "1.5"), ("--spawn-rate", "fast")])
def test_an_impossible_option_is_named_with_its_value(arguments):
    done = load(*arguments)
    assert done.returncode == 2
    assert f"argument {arguments[0]}: expected a whole number above 0, got {arguments[1]!r}" in done.stderr


@pytest.mark.parametrize(("status", "word"), [(0, "passed"), (1, "failed"), (3, "not to be trusted")])
def test_the_verdict_of_the_result_is_the_exit_status(tmp_path, capsys, status, word):
    path = tmp_path / "result.json"
    path.write_text(json.dumps({"verdict": {"exit_code": status, "trust": "degraded", "reasons": ["a reason"]}}))
    assert runpy.run_path(str(LOCUST / "load.py"))["verdict"](path) == status
    said = capsys.readouterr().out
    assert said.startswith(f"{word}; measurement degraded\n  - a reason\n")
