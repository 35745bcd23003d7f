"""Arrival processes, traces, schedules and the hand-over to users, on simulated clocks."""

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.testbed.server import ROOT


def test_what_holds_below_locust():
    scripts = sorted(Path(__file__).parent.glob("of_*.py"))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "pytest_timeout",
        "-W",
        "default",
        *map(str, scripts),
    ]
    environment = os.environ | {"LOCUST_SKIP_MONKEY_PATCH": "1", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
