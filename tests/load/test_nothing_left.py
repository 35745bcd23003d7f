"""In a process of Locust's nothing is left of streams, users and runs, however they ended, and nothing counts twice."""

import json
import subprocess
import sys

import pytest

from benchmarks.testbed.server import ROOT
from streamgauge.runner.load_plan import environment_without_locust
from tests.client.endings.ways import MIDDLES, WAYS

SCRIPT = ROOT / "tests/load/held/everything.py"
#: What a second reports of that moment, and not of what happened in it.
OF_THE_MOMENT = {"t_s", "active", "wall_offset_ns", "options_used"}
#: What only a master counts.
OF_THE_MASTER = {"lost_arrivals"}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    """What was left of each kind."""
    command = [sys.executable, SCRIPT, tmp_path_factory.mktemp("held")]
    variables = environment_without_locust({"PYTHONPATH": str(ROOT)})
    done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("way", WAYS)
def test_nothing_is_left_of_streams_that_ended(found, way):
    assert found["ended"][way] == {}


@pytest.mark.parametrize("middle", MIDDLES)
def test_nothing_is_left_of_streams_whose_user_was_killed(found, middle):
    assert found["killed"][middle] == {}


def test_nothing_is_left_of_runs(found):
    runs = found["runs"]
    assert runs["left"] == {}
    assert runs["frozen"] == 0
    before, after = runs["series"]
    assert after == before > 90


def test_the_client_metrics_count_each_stream_once_over_runs_and_resets(found):
    fired, counted = found["runs"]["finished"]
    assert fired == counted > 300


def test_a_second_in_which_nothing_happened_reports_nothing(found):
    full, empty = found["seconds"]["full"], found["seconds"]["empty"]
    own = full.keys() - OF_THE_MOMENT - OF_THE_MASTER
    for name in own - {"cpu", "waited_s", "hub_lag", "longest_pause_s", "names_left_out"}:
        assert empty[name] in (0, [], {"counts": [], "sum_ns": 0, "min_ns": None, "max_ns": None, "clipped": 0}), name
        assert full[name] != empty[name], name
    assert sum(empty["hub_lag"]["counts"][1::2]) == 1  # the turn that made the slice
    assert empty["longest_pause_s"] < full["longest_pause_s"] == 100.0
    assert found["seconds"]["taken"] == 1  # the last one, of the end; those before were taken
