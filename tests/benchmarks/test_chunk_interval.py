import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.chunk_interval import INSTRUMENTS
from benchmarks.testbed.server import Log, Server, quantile_s

pytestmark = pytest.mark.timeout(360)

ROOT = Path(__file__).parents[2]


def run(*arguments):
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    output = tmp_path_factory.mktemp("benchmark") / "figures.json"
    options = ("--streams", "2", "--seconds", "1", "--interval-ms", "20", "-o", str(output))
    return run("benchmarks.chunk_interval", *options), output


def test_every_instrument_is_a_row_of_the_table(small):
    done, _ = small
    assert done.returncode == 0, done.stderr
    head, *rows = done.stdout.splitlines()
    assert "p99 seen" in head
    assert [row[:24].strip() for row in rows] == list(INSTRUMENTS)


def test_every_instrument_is_held_against_the_log_of_its_own_run(small):
    done, output = small
    assert done.returncode == 0, done.stderr
    for each in json.loads(output.read_text())["instruments"]:
        assert each["measured"]["streams"] == each["log"]["streams"] > 0, each
        assert each["measured"]["chunks"] == each["log"]["chunks"] == 41 * each["log"]["streams"], each
        for name, difference in each["difference"].items():
            assert difference == each["measured"][name] - each["log"][name]


def test_streamgauge_is_nearer_to_the_log_than_iter_lines(small):
    done, output = small
    assert done.returncode == 0, done.stderr
    off = {each["instrument"]: abs(each["beyond_log"]["p50"]) for each in json.loads(output.read_text())["instruments"]}
    assert off["streamgauge"] < off["FastHttpUser iter_lines"]


def test_the_figures_say_what_was_run_on_what(small):
    figures = json.loads(small[1].read_text())
    assert figures["load"] == {"streams": 2, "seconds": 1.0, "interval_s": 0.02}
    assert figures["versions"].keys() >= {"streamgauge", "locust", "python"}
    assert figures["machine"]["cpus"] >= 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("benchmarks", "nosuch"), "got 'nosuch'"),
        (
            ("benchmarks.chunk_interval", "--streams", "0"),
            "argument --streams: expected a whole number above 0, got '0'",
        ),
        (("benchmarks.chunk_interval", "--seconds", "nan"), "argument --seconds: expected a number above 0, got 'nan'"),
        (
            ("benchmarks.chunk_interval", "-o", "/no/such/file"),
            "argument -o/--output: expected a file in an existing directory, got '/no/such/file'",
        ),
    ],
)
def test_bad_options_are_named_with_their_values(arguments, words):
    done = run(*arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_the_list_runs_none():
    done = run("benchmarks", "--list")
    assert done.returncode == 0
    assert "chunk_interval" in done.stdout
    assert not done.stderr


def test_quantiles_are_by_nearest_rank():
    values_ns = [each * 1_000_000 for each in range(1, 101)]
    assert [quantile_s(values_ns, q) for q in (0.5, 0.99, 1.0)] == [0.05, 0.099, 0.1]
    assert math.isnan(quantile_s([], 0.5))


def test_intervals_do_not_cross_streams():
    log = Log(connections=1, streams=[[0, 5, 7], [100], [200, 203]])
    assert log.intervals_ns == [5, 2, 3]
    assert log.chunks == 6


def test_a_server_that_prints_no_port_is_ended_and_named():
    with pytest.raises(RuntimeError, match="got 'hello'"), Server(sys.executable, "-c", "print('hello')"):
        pass
