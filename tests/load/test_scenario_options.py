"""The options of the scenarios in loadtests/: which texts they take, which they refuse, and what they come to."""

import json
import subprocess
import sys

import pytest

from benchmarks.testbed.server import ROOT

#: A process of its own reads all texts, because ``import locust`` patches the one it is in.
READ = """
import json, sys
from loadtests import mixed
from streamgauge.load.own_options import own_options

options, found = {each.flag: each for each in own_options()}, []
for flag, text in json.load(sys.stdin):
    try:
        found.append([options[flag].read(text), ""])
    except ValueError as error:
        found.append([None, str(error)])
print(json.dumps(found))
"""
KINDS = "with kinds of sse, ndjson, download, websocket, multipart, slow_reader, hang_up, chat"
TAKEN = {
    "--hang-up-after": {"5": [5, 5], " 1 .. 20 ": [1, 20], "3..3": [3, 3]},
    "--slow-reader-rate": {"10KB/s": 10_000, "1MiB/s": 1 << 20},
    "--slow-reader-window": {"4KB": 4000},
    "--mixed-weights": {"sse=5, ndjson=2": {"sse": 5, "ndjson": 2}, "hang_up=1,sse=0": {"hang_up": 1, "sse": 0}},
    "--mixed-path": {"sse=/a?b=1\r\nwebsocket=ws://h/b": {"sse": "/a?b=1", "websocket": "ws://h/b"}},
}
REFUSED = {
    "--hang-up-after": dict.fromkeys(
        ("0", "5..", "..5", "9..3", "-1", "a..b", "1..2..3", "1.5"),
        "expected a chunk such as 5, or a range such as 1..20, got ",
    ),
    "--slow-reader-rate": dict.fromkeys(("10KB", "0KB/s"), "expected a rate such as 10KB/s, got "),
    "--slow-reader-window": dict.fromkeys(("0", "small"), "expected a size such as 64KiB, got "),
    "--mixed-weights": dict.fromkeys(
        ("sse", "sse=x", "sse=-1", "fax=1", "sse=1.5", ",", "sse=0", "sse=0,ndjson=0"),
        f"expected KIND=N such as sse=5,ndjson=2, {KINDS}, got ",
    ),
    "--mixed-path": dict.fromkeys(
        ("sse=events", "fax=/a", "/a"), f"expected KIND=PATH such as sse=/events, {KINDS}, got "
    ),
}
CASES = [(flag, text) for table in (TAKEN, REFUSED) for flag, texts in table.items() for text in texts]


@pytest.fixture(scope="module")
def read():
    command = [sys.executable, "-c", READ]
    done = subprocess.run(command, input=json.dumps(CASES), cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(zip(CASES, json.loads(done.stdout), strict=True))


@pytest.mark.parametrize(("flag", "text"), [(flag, text) for flag, texts in TAKEN.items() for text in texts])
def test_what_is_right_is_taken(read, flag, text):
    assert read[flag, text] == [TAKEN[flag][text], ""]


@pytest.mark.parametrize(("flag", "text"), [(flag, text) for flag, texts in REFUSED.items() for text in texts])
def test_what_is_wrong_is_refused_with_what_was_expected_and_given(read, flag, text):
    assert read[flag, text] == [None, f"{REFUSED[flag][text]}{text!r}"]
