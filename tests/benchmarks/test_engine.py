import json
import subprocess
import sys
import urllib.request
from itertools import pairwise
from pathlib import Path
from urllib.error import HTTPError

import pytest

from benchmarks.engine import tables
from benchmarks.engine.roster import CLIENTS
from benchmarks.testbed import machine, rounds
from benchmarks.testbed.blaster import framed, lateness
from benchmarks.testbed.server import Server
from streamgauge.stats.histogram import RELATIVE_ERROR
from streamgauge.wire.sse import SseDecoder

pytestmark = pytest.mark.timeout(1000)

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(not machine.supported(), reason="the engine's benchmark needs Linux")


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks", "engine", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    output = tmp_path_factory.mktemp("engine") / "out.json"
    options = ("--rounds", "2", "--streams", "5", "--seconds", "1", "--rate", "200", "--clients", "floor,streamgauge")
    done = run(*options, "-o", str(output))
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(output.read_text())


@linux
def test_each_round_has_each_client_with_all_chunks_of_the_log(small):
    assert [load["backlog"] for load in small[1]["loads"]] == [True, False]
    for load in small[1]["loads"]:
        assert load["chunks"] == 200
        assert [list(each) for each in load["rounds"]] == [["floor", "streamgauge"]] * 2
        clients = [client for each in load["rounds"] for client in each.values()]
        assert {client["chunks"] for client in clients} == {200}
        assert all(client["cpu_s_per_chunk"] > 0 for client in clients)


@linux
def test_streamgauge_is_held_against_the_log_of_its_own_run(small):
    for each in small[1]["loads"][1]["rounds"]:
        accuracy = each["streamgauge"]["accuracy"]
        assert accuracy["arrival_error"]["min"] >= 0
        assert accuracy["arrival_error"]["p50"] <= accuracy["read_error"]["p50"]
        # An interval is as far from the log's as its two arrivals are from their sends.
        apart_s = accuracy["arrival_error"]["max"] - accuracy["arrival_error"]["min"]
        seen_s, log_s = (accuracy["interval"][part]["p50"] for part in ("seen", "log"))
        assert abs(seen_s - log_s) <= apart_s + 2 * RELATIVE_ERROR * log_s or accuracy["coalesced_share"]


@linux
def test_ratios_are_of_one_round_each(small):
    report = small[1]
    rounds = report["loads"][0]["rounds"]
    ratios = [each["streamgauge"]["cpu_s_per_chunk"] / each["floor"]["cpu_s_per_chunk"] for each in rounds]
    summary = report["summary"]["loads"][0]["clients"]["streamgauge"]
    assert (summary["ratio_to_floor"]["min"], summary["ratio_to_floor"]["max"]) == (min(ratios), max(ratios))
    assert summary["ratio_to_best_locust"] is None


@linux
def test_the_table_shows_every_client_and_the_machine(small):
    out, report = small
    for name in ("floor", "streamgauge"):
        assert CLIENTS[name].title in out
    assert report["machine"]["cpu"] in out.replace("\n", " ")
    assert report["versions"].keys() >= {"locust", "streamgauge"}


@linux
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--rounds", "0"), "argument --rounds: expected a whole number above 0, got '0'"),
        (("--rate", "100,x"), "argument --rate: expected a number above 0, got 'x'"),
        (("--clients", "floor,nosuch"), "got 'nosuch'"),
        (
            ("-o", "/no/such/file"),
            "argument -o/--output: expected a file in an existing directory, got '/no/such/file'",
        ),
    ],
)
def test_bad_options_are_named_with_their_values(arguments, words):
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture
def source():
    with Server(sys.executable, "-m", "benchmarks.testbed.blaster") as server:
        yield server.url


def ask(url):
    with urllib.request.urlopen(url, timeout=60) as reply:
        return json.load(reply)


def test_the_source_sends_what_it_logs_evenly_and_ends_cleanly(source):
    streams = [urllib.request.urlopen(f"{source}/sse?stream={name}", timeout=60) for name in (7, 3)]
    assert ask(f"{source}/state") == {"open": 2}
    log = ask(f"{source}/send?chunks=10&rate=400&end=1")
    assert log["streams"].keys() == {"3", "7"}
    for sends in log["streams"].values():
        assert len(sends) == 10
        assert all(after > before for before, after in pairwise(sends))
    for stream in streams:
        with stream:
            events = [SseDecoder.parse(chunk) for chunk in SseDecoder().feed([stream.read()])]
        assert [int(event.data.split()[0]) for event in events] == list(range(10))
        assert [event.event for event in events] == ["message"] * 9 + ["done"]


def test_numbers_go_on_from_one_command_to_the_next(source):
    with urllib.request.urlopen(f"{source}/sse?stream=0", timeout=60) as stream:
        ask(f"{source}/send?chunks=2&rate=400")
        log = ask(f"{source}/send?chunks=1&rate=400&end=1")
        assert [line for line in stream.read().split(b"\n") if line[:3] == b"id:"] == [b"id: 0", b"id: 1", b"id: 2"]
    assert log["blocked"] == 0
    assert not log["lost"]


def test_a_command_that_is_none_is_refused(source):
    with pytest.raises(HTTPError, match="400") as refused:
        ask(f"{source}/send?chunks=1")
    refused.value.close()


def test_an_event_is_one_transfer_chunk_of_the_size_asked_for():
    size, _, rest = framed(12, 80, last=False).partition(b"\r\n")
    assert int(size, 16) == 80 == len(rest.removesuffix(b"\r\n"))
    assert rest.startswith(b"data: 00000012 x")


def test_lateness_is_against_the_schedule():
    assert lateness([100, 210, 325], 100, 100.0) == {"p50": 10, "p99": 25, "max": 25}


def test_a_summary_leaves_out_what_was_not_measured():
    assert rounds.summary([None, 3.0, 1.0, float("nan")]) == {"median": 2.0, "min": 1.0, "max": 3.0, "count": 2}
    assert rounds.summary([None]) is None


def test_the_best_locust_reader_is_chosen_anew_in_each_round():
    def cost(value):
        return {"cpu_s_per_chunk": value, "undisturbed": True}

    rounds = [
        {"floor": cost(1), "http-lines": cost(4), "fast-events": cost(2)},
        {"floor": cost(1), "http-lines": cost(3), "fast-events": cost(6)},
    ]
    found = tables.summarised(rounds)
    assert found["http-lines"]["ratio_to_best_locust"] == {"median": 1.5, "min": 1.0, "max": 2.0, "count": 2}
    assert found["fast-events"]["ratio_to_floor"]["median"] == 4


def test_a_client_whose_library_is_missing_says_which():
    client = CLIENTS["httpx"]
    absent = type(client)("x", "x", "other", client.command, packages=("no_such_library",))
    assert absent.missing == "no_such_library not installed"
