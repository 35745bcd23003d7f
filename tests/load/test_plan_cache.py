"""Which calls of a scenario count as the same, so that they share a plan."""

import json
import subprocess
import sys

import pytest

#: Two calls, and whether the second may get the plan of the first. ``f`` is a function.
PAIRS = {
    "equal texts": ("('/a', None)", "('/a', None)", True),
    "another path": ("('/a',)", "('/b',)", False),
    "equal headers": ("({'a': 'b'},)", "({'a': 'b'},)", True),
    "another value": ("({'a': 'b'},)", "({'a': 'c'},)", False),
    "a number and a flag": ("({'a': 1},)", "({'a': True},)", False),
    "a number and a fraction": ("({'a': 1},)", "({'a': 1.0},)", False),
    "pairs and a flat list": ("([('a', 'b')],)", "(['a', 'b'],)", False),
    "pairs in two lists": ("(['a'], ['b'])", "(['a', 'b'], [])", False),
    "the same function": ("(f,)", "(f,)", True),
    "another function": ("(f,)", "(lambda chunk: chunk,)", False),
    "an open file": ("(open('/dev/null'),)", "(open('/dev/null'),)", None),
    "a list in a mapping": ("({'a': ['b']},)", "({'a': ['b']},)", None),
    "an object": ("(object(),)", "(object(),)", None),
}


@pytest.fixture(scope="module")
def found():
    script = "import json; from streamgauge.load.plan_cache import key_of\ndef f(): pass\n"
    keys = ", ".join(f"({key!r}, key_of({one}), key_of({other}))" for key, (one, other, _) in PAIRS.items())
    script += f"print(json.dumps({{key: None if one is None else one == other for key, one, other in [{keys}]}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.mark.parametrize("pair", PAIRS)
def test_calls_are_the_same_only_if_their_arguments_are_equal_and_stay_so(found, pair):
    assert found[pair] is PAIRS[pair][2]


SCHEDULED = """
from locust.env import Environment
from streamgauge.client.plan import StreamPlan
from streamgauge.load import StreamUser
from streamgauge.load.client import StreamClient
from streamgauge.load.process_meter import process_meter_of

made, make = [], StreamPlan.__post_init__
StreamPlan.__post_init__ = lambda plan: made.append(plan) or make(plan)
environment = Environment()
client = StreamClient(environment, process_meter_of(environment).process_context, "http://127.0.0.1:1")
delays_s = []
for behind_ns in (None, 250_000_000, 500_000_000):
    client.behind_ns = behind_ns
    delays_s += [client.stream("GET", "/").start_delay_s for _ in range(2)]
print(len(made), delays_s)
"""


def test_scheduled_streams_share_a_plan_and_the_first_of_an_iteration_has_the_start_delay():
    done = subprocess.run([sys.executable, "-c", SCHEDULED], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.split("\n")[0] == "1 [None, None, 0.25, None, 0.5, None]"
