"""A user that is slow to be made delays only itself, in a worker and in a single process."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parent / "locustfiles" / "starting.py"


@pytest.fixture(scope="module")
def found():
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_worker_starts_the_others_on_time_and_the_slow_one_once_it_is_made(found):
    worker = found["worker"]
    assert worker["early"] == [1, *range(3, 13)]
    assert worker["all"] == [1, *range(3, 13), 2]


def test_a_worker_says_that_its_users_are_there_once_they_are(found):
    assert found["worker"]["there"] == [False, False, False, False, True]


def test_a_slow_user_that_is_no_longer_wanted_does_not_start(found):
    assert found["fewer"] == [[1, 3], [1, 3]]
    assert found["stopped"] == [1, 3]


def test_after_one_user_failed_to_be_made_no_more_of_its_class_are(found):
    assert found["failing"] == {"started": [1, 2], "unhandled": 1}


def test_the_ramp_of_a_single_process_goes_on_and_ends_with_the_slow_user(found):
    alone = found["alone"]
    assert alone["early"] == [False, []]
    assert (alone["last"], alone["spawned"]) == (2, [160])
