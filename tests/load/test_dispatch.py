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
CLASSES = """
import json
from types import SimpleNamespace
from locust import User
from locust.dispatch import UsersDispatcher
from streamgauge.load.run.dispatch import evenly
from streamgauge.load.run.worker_turns import class_by_class
classes = [type(name, (User,), {"weight": weight}) for name, weight in (("A", 1), ("B", 1), ("C", 1), ("D", 3))]
found = []
for workers, users in ((2, 1000), (3, 1000), (4, 4)):
    nodes = [SimpleNamespace(id=f"host_{at}", user_classes_count={}) for at in range(workers)]
    dispatcher = evenly(class_by_class(UsersDispatcher, lambda: True), lambda: True)(nodes, classes)
    dispatcher.new_dispatch(users, 1)
    started = list(dispatcher)[-1]
    dispatcher.add_worker(SimpleNamespace(id=f"host_{workers}", user_classes_count={}))
    dispatcher.new_dispatch(users, 1)
    found.append([list(map(list, map(dict.values, each.values()))) for each in (started, list(dispatcher)[-1])])
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


@pytest.fixture(scope="module")
def given():
    done = subprocess.run([sys.executable, "-c", CLASSES], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize("case", [0, 1], ids=["two workers", "three workers"])
def test_in_the_open_model_each_worker_has_users_of_every_class(given, case):
    for workers in given[case]:  # at the start, and once another worker has joined
        assert len(workers) == case + 2 + (workers is given[case][1])
        for users in zip(*workers, strict=True):
            assert max(users) - min(users) <= 1
        assert sum(map(sum, workers)) == 1000
        assert max(map(sum, workers)) - min(map(sum, workers)) <= 4


def test_in_the_open_model_each_worker_has_a_user_if_there_are_enough(given):
    assert [sum(users) for users in given[2][0]] == [1, 1, 1, 1]
