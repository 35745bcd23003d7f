"""Which warm-ups are refused because they would leave nothing of the run."""

import json
import subprocess
import sys

import pytest

#: The options of a run, and what ends it too early for a warm-up of 30 s; an empty text if nothing does.
RUNS = {
    "no end": ({}, ""),
    "a run time": ({"run_time": 30}, "run time of 30 s"),
    "a longer run time": ({"run_time": 31}, ""),
    "a shape": ({"num_users": 5, "stream_shape": "step:from=1,to=2,by=1,every=10s"}, "shape of 20 s"),
    "a longer shape": ({"num_users": 5, "stream_shape": "step:from=1,to=4,by=1,every=10s"}, ""),
    "a shape within a run time": (
        {"num_users": 5, "stream_shape": "step:from=1,to=2,by=1,every=10s", "run_time": 60},
        "",
    ),
    "a shape of arrivals": (
        {"stream_arrivals": "50/s", "stream_shape": "step:from=1,to=2,by=1,every=10s"},
        "shape of 20 s",
    ),
    "a trace": ({"stream_arrivals": "trace:TRACE"}, "trace of 2.5 s"),
}
SCRIPT = """
import json, sys
from argparse import Namespace
from streamgauge.load.warm_up_option import check_warm_up
found = {}
for name, (options, _) in json.loads(sys.argv[1]).items():
    try:
        check_warm_up(Namespace(stream_warm_up="30s", **options))
        found[name] = ""
    except ValueError as error:
        found[name] = str(error)
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    (trace := tmp_path_factory.mktemp("traces") / "trace").write_text("0\n1\n2.5\n")
    runs = json.dumps(RUNS).replace("TRACE", str(trace))
    done = subprocess.run([sys.executable, "-c", SCRIPT, runs], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize("run", RUNS)
def test_a_warm_up_has_to_be_shorter_than_what_ends_the_run(said, run):
    ends = RUNS[run][1]
    assert said[run] == (ends and f"--stream-warm-up: expected less than the {ends}, got '30s'")
