"""The benchmark of scale, with few streams: counts against the source's log, and its options."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import scale, scale_run
from benchmarks.testbed import machine
from benchmarks.testbed.server import Log

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.skipif(not machine.supported(), reason="the benchmark of scale needs Linux"),
    pytest.mark.timeout(360),
]
STREAMS = 60


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks", "scale", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    file = tmp_path_factory.mktemp("scale") / "out.json"
    load = ("--streams", str(STREAMS), "--ramp", "60", "--interval", "1", "--plateau", "4", "--limit-kb", "1000")
    done = run(*load, "-o", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout, json.loads(file.read_text())


def test_no_stream_and_no_chunk_is_lost(small):
    for found in small[1]["generators"]:
        assert found["log"]["streams"] == found["outcomes"]["completed"] == STREAMS
        assert found["chunks"] == found["log"]["chunks"] == STREAMS * 6
        assert (found["lost_streams"], found["lost_chunks"]) == (0, 0)


def test_the_bare_engine_stands_beside_locust_in_the_table(small):
    out, report = small
    assert [found["generator"] for found in report["generators"]] == ["locust", "bare"]
    locust, bare = report["generators"]
    assert locust["rss_before_bytes"] > bare["rss_before_bytes"] > 0
    assert [line.split()[0] for line in out.splitlines()][:3] == ["generator", "locust", "bare"]


MEMORY = scale_run.Memory([(at, 50_000_000 + 1_000_000 * at, 40_000_000) for at in range(20)])
LOAD = scale_run.Load(streams=1000, ramp=500, interval_s=1, plateau_s=4)


def found(outcomes, chunks, log_chunks):
    log = Log(connections=1000, streams=[[0] * (log_chunks // 1000)] * 1000)
    return scale_run.figures("locust", LOAD, MEMORY, scale_run.Run(2.5, 9.0, outcomes, chunks), log)


def test_memory_is_that_of_the_plateau_less_that_before_the_first_stream():
    each = found({"completed": 1000}, 3000, 3000)
    assert each["kb_per_stream"] == 8.0
    assert scale.holds(each, 8)
    assert not scale.holds(each, 7.9)


@pytest.mark.parametrize(("completed", "chunks"), [(999, 3000), (1000, 2999)])
def test_a_lost_stream_or_chunk_does_not_hold(completed, chunks):
    assert not scale.holds(found({"completed": completed, "truncated": 1}, chunks, 3000), 1000)


def test_streams_last_for_the_ramp_and_the_plateau():
    assert LOAD.stream_s > LOAD.ramp_s + LOAD.plateau_s


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--streams", "-1"), "argument --streams: expected a whole number above 0, got '-1'"),
        (("--ramp", "0"), "argument --ramp: expected a number above 0, got '0'"),
        (
            ("-o", "/no/such/file"),
            "argument -o/--output: expected a file in an existing directory, got '/no/such/file'",
        ),
        (("--streams", "99999999"), "99999999 streams need"),
    ],
)
def test_bad_options_are_named_with_their_values(arguments, words):
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
