"""When users start and leave: those that start are spread over a second."""

import json
import subprocess
import sys

import pytest

SCRIPT = """
import json, sys
from types import SimpleNamespace
from locust import User
from locust.dispatch import UsersDispatcher
from streamgauge.load.run.dispatch import evenly
class Visitor(User):
    pass
worker = SimpleNamespace(id="1", user_classes_count={})
dispatcher = evenly(UsersDispatcher, lambda: False)([worker], [Visitor])
dispatcher._wait_between_dispatch_iteration_context = lambda: __import__("contextlib").nullcontext()
found = []
for users in (300, 50):
    dispatcher.new_dispatch(users, 250)
    found.append([sum(each["1"].values()) for each in dispatcher])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def steps():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


def test_users_that_start_are_spread_over_the_second(steps):
    assert steps[0] == [50, 100, 150, 200, 250, 300]


def test_users_that_leave_do_so_at_once_because_locust_waits_for_each_slice_of_them(steps):
    assert steps[1] == [50]
