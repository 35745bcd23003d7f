import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.recorder_tables import against
from benchmarks.testbed import machine
from benchmarks.testbed.server import Server
from benchmarks.testbed.service import BARE, INSTRUMENTS, OURS
from benchmarks.testbed.service.app import coded_bytes
from benchmarks.testbed.service.reading import ReadingError, read_all

pytestmark = pytest.mark.timeout(360)

ROOT = Path(__file__).parents[2]
linux = pytest.mark.skipif(not machine.supported(), reason="the recorder's benchmark needs Linux")


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks", "recorder", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    output = tmp_path_factory.mktemp("recorder") / "out.json"
    done = run("--starts", "2", "--rounds", "1", "--chunks", "800", "-o", str(output))
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(output.read_text())


@linux
def test_every_instrument_serves_every_load_at_1_and_2_workers(small):
    _, report = small
    assert [each["workers"] for each in report["served"]] == [1, 1, 1, 2, 2, 2, 1]
    for each in report["served"]:
        expected = (BARE, OURS) if "sample app" in each["load"] else INSTRUMENTS
        assert [tuple(this) for this in each["rounds"]] == [expected] * 2
        assert all(found["cpu_s_per_chunk"] > 0 for this in each["rounds"] for found in this.values())


@linux
def test_the_middleware_is_measured_without_the_kernel_too(small):
    _, report = small
    for least in report["alone"]["contents"].values():
        assert 0 < least[BARE] < least[OURS]
    assert 0 < report["alone"]["recorder"]["quick"] < report["alone"]["recorder"]["paced"]


@linux
def test_the_table_has_all_instruments(small):
    table, _ = small
    for name in INSTRUMENTS:
        assert name in table
    assert "native" in table


def test_ratios_are_of_one_round():
    rounds = [
        {name: {"cpu_s_per_chunk": cost * factor, "chunks_per_s": 1 / cost} for name, factor in (("a", 1), ("b", 2))}
        for cost in (1.0, 5.0, 3.0)
    ]
    found = against(rounds, "a")
    assert found["b"]["cpu_s_per_chunk"] == {"median": 6.0, "min": 2.0, "max": 10.0, "count": 3}
    assert found["b"]["cpu_s_per_chunk_ratio"] == {"median": 2.0, "min": 2.0, "max": 2.0, "count": 3}


def test_a_stream_that_does_not_come_whole_ends_the_benchmark():
    with Server(sys.executable, "-m", "benchmarks.testbed.service", BARE, "1") as server:
        port = int(server.url.rpartition(":")[2])
        read_all(port, "/fast?chunks=20", 2, coded_bytes(20))
        with pytest.raises(ReadingError, match=r"expected .* bytes, got"):
            read_all(port, "/fast?chunks=19", 2, coded_bytes(20))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--workers", "0"), "argument --workers: expected a whole number above 0, got '0'"),
        (("--rounds", "x"), "argument --rounds: expected a whole number above 0, got 'x'"),
        (("-o", "none/x.json"), "expected a file in an existing directory, got 'none/x.json'"),
    ],
)
def test_wrong_options_are_named(options, message):
    done = run(*options)
    assert done.returncode == 2
    assert message in done.stderr
