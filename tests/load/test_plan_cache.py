"""Which calls of a scenario count as the same, so that they share a plan."""

import json
import subprocess
import sys

import pytest

MADE = """
import json
class Seen:
    def see(self, chunk): pass
from locust import User
from streamgauge.load.plan_cache import PlanCache, key_of
def f(): pass
def made(bound=None):
    return (lambda: None) if bound is None else lambda: bound
class Visitor(User):
    def __init__(self, environment): pass
    def see(self, chunk): pass
    def see_more(self, chunk): super().see
user = Visitor(None)
"""
#: Two calls, and whether the second may get the plan of the first; None if neither is kept. ``MADE`` has what they use.
PAIRS = {
    "equal texts": ("('/a', None)", "('/a', None)", True),
    "another path": ("('/a',)", "('/b',)", False),
    "equal headers": ("({'a': 'b'},)", "({'a': 'b'},)", True),
    "another value": ("({'a': 'b'},)", "({'a': 'c'},)", False),
    "a number and a flag": ("({'a': 1},)", "({'a': True},)", False),
    "a number and a fraction": ("({'a': 1},)", "({'a': 1.0},)", False),
    "pairs and a flat list": ("([('a', 'b')],)", "(['a', 'b'],)", False),
    "pairs in two lists": ("(['a'], ['b'])", "(['a', 'b'], [])", False),
    "a number and a flag alone": ("(1,)", "(True,)", False),
    "a number and a fraction alone": ("(1,)", "(1.0,)", False),
    "no number and no flag": ("(0, None)", "(False, None)", False),
    "equal fractions": ("(0.5, [1.5])", "(0.5, [1.5])", True),
    "a negative zero": ("(-0.0,)", "(-0.0,)", None),
    "a negative zero in a mapping": ("({'a': -0.0},)", "({'a': -0.0},)", None),
    "a list with a tuple": ("([('a',), 'b'],)", "(['a', 'b'],)", False),
    "tuples of other lengths": ("([('a', 'b'), ('c',)],)", "([('a',), ('b', 'c')],)", False),
    "a tuple and a list": ("(('a',),)", "(['a'],)", False),
    "equal pairs": ("([('a', 'b'), 'c'],)", "([('a', 'b'), 'c'],)", True),
    "texts that fit": ("('x' * 16_384,)", "('x' * 16_384,)", True),
    "long texts": ("('x' * 10_000, b'x' * 10_000)", "('x' * 10_000, b'x' * 10_000)", None),
    "long texts in a mapping": ("({'a': 'x' * 20_000},)", "({'a': 'x' * 20_000},)", None),
    "many members": ("([1] * 2000,)", "([1] * 2000,)", None),
    "the same function": ("(f,)", "(f,)", True),
    "a function made for one stream": ("(made(),)", "(made(),)", None),
    "a closure": ("(made(1),)", "(made(1),)", None),
    "a method of the user": ("(user.see,)", "(user.see,)", True),
    "a method of the user that uses its base": ("(user.see_more,)", "(user.see_more,)", True),
    "a method of another user": ("(user.see,)", "(Visitor(None).see,)", False),
    "a method of an object": ("(Seen().see,)", "(Seen().see,)", None),
    "another function": ("(f,)", "(lambda chunk: chunk,)", False),
    "an open file": ("(open('/dev/null'),)", "(open('/dev/null'),)", None),
    "a list in a mapping": ("({'a': ['b']},)", "({'a': ['b']},)", None),
    "an object": ("(object(),)", "(object(),)", None),
}


def printed(script):
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def found():
    keys = ", ".join(f"({key!r}, key_of({one}), key_of({other}))" for key, (one, other, _) in PAIRS.items())
    script = f"{MADE}print(json.dumps({{key: None if one is None else one == other for key, one, other in [{keys}]}}))"
    return printed(script)


@pytest.mark.parametrize("pair", PAIRS)
def test_calls_are_the_same_only_if_their_arguments_are_equal_and_stay_so(found, pair):
    assert found[pair] is PAIRS[pair][2]


def test_streams_with_callbacks_of_their_own_displace_no_plan_of_other_users():
    script = f"""{MADE}
shared, planned = {{}}, []
plan = lambda *call: planned.append(call) or call
caches = [PlanCache(shared) for _ in range(200)]
for cache in caches:
    own = Visitor(None)
    for callback in (own.see, f, own.see, made(1), f):
        cache.of((callback,), plan)
print(json.dumps([sum(call[0] is f for call in planned), len(planned), len(shared)]))
"""
    assert printed(script) == [1, 1 + 200 + 200, 1]


def test_what_changes_between_two_calls_is_planned_again():
    script = f"""{MADE}
planned = []
plan = lambda *call: planned.append(repr(call)) or call
cache, listed, mapped = PlanCache(), ["a"], {{"a": "b"}}
for _ in range(2):
    cache.of(("x", listed, None), plan)
    cache.of(("x", mapped, None), plan)
    listed.append("c")
    mapped["a"] += "c"
same = ("x", 1, None, f)
calls = [same, same, ("x", 2, None, f), same, ("x", True, None, f), ("x", 1, None), same]
found = [cache.of(each, plan) for each in calls]
print(json.dumps([len(planned), [repr(each) == repr(same) for each in found]]))
"""
    assert printed(script) == [4 + 4, [True, True, False, True, False, False, True]]


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
