"""The benchmark of undisturbed runs: what it runs, and how it counts."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from benchmarks.undisturbed import PROCESSES, SECONDS, USERS, Size, Verdict, sizes, summed_up

pytestmark = pytest.mark.timeout(360)

ROOT = Path(__file__).parents[2]


def test_a_run_comes_with_its_verdict(tmp_path):
    file = tmp_path / "out.json"
    command = [sys.executable, "-m", "benchmarks", "undisturbed", "--runs", "1", "-o", str(file)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    (run,) = json.loads(file.read_text())["runs"]
    assert run["size"] == {"users": 5, "seconds": 10, "processes": 1}
    trusted = run["trust"] == "trusted"
    assert f"{int(trusted)} of 1 runs trusted" in done.stdout
    assert done.returncode == (not trusted), done.stderr


def test_every_size_has_its_turn():
    count = len(USERS) * len(SECONDS) * len(PROCESSES)
    assert len(set(islice(sizes(), count))) == count


def test_each_run_that_was_not_trusted_is_named_with_its_reasons():
    fine = Verdict(Size(5, 10, 1), "trusted", [], {})
    bad = Verdict(Size(100, 30, 2), "degraded", ["it was hot", "it was late"], {})
    assert summed_up([fine, bad]).splitlines() == [
        "1 of 2 runs trusted",
        "  100 users, 30 s, 2 processes: degraded: it was hot; it was late",
    ]
