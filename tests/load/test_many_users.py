"""Many users: their starts are spread over each second, their stop is not measured, and they need open files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOCUSTFILES = Path(__file__).parent / "locustfiles"


@pytest.fixture(scope="module")
def found():
    command = [sys.executable, LOCUSTFILES / "slices.py"]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)


def test_the_users_of_a_second_start_in_slices(found):
    counts, times_ms = zip(*found["starts"], strict=True)
    assert counts == (100, 200, 300, 400)
    assert times_ms[-1] >= 280


def test_a_slice_is_a_few_users_or_a_tenth_of_a_second(found):
    assert found["slices"] == [1, 10, 45, 100, 1000]


def test_what_a_stop_takes_is_not_measured(found):
    assert found["told"]["pause_s"] < 0.5 < found["untold"]["pause_s"]
    assert found["told"]["lag_s"] < 0.5 < found["untold"]["lag_s"]
    assert found["told"]["least_s"] == found["untold"]["least_s"] == 0.001


def test_a_shortage_of_files_names_what_is_needed_and_allowed(found):
    hard, enough, short = found["files"]
    assert enough == ""
    assert f"need {hard + 1} open files, and {hard} are allowed" in short
    assert "ulimit -n" in short
