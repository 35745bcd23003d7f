"""The benchmark of chunk sizes: every form and size is read whole, and its table says so."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.chunk_size import FORMS, SIZES_BYTES, chunks_of
from benchmarks.testbed import machine

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.skipif(not machine.supported(), reason="the benchmark needs Linux's CPU clocks"),
    pytest.mark.timeout(360),
]


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks", "chunk_size", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


def test_each_form_and_size_has_its_figures(tmp_path):
    done = run("--rounds", "1", "--chunks", "20", "-o", str(tmp_path / "out.json"))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "out.json").read_text())
    assert {(each["form"], each["size_bytes"]) for each in report["sizes"]} == {
        (f, s) for f in FORMS for s in SIZES_BYTES
    }
    assert all(len(each["rounds"]) == 1 and each["rounds"][0]["chunks_per_s"] > 0 for each in report["sizes"])
    assert "1,048,576" in done.stdout


@pytest.mark.parametrize(("size_bytes", "chunks"), [(64, 10_000), (65_536, 128), (1_048_576, 8)])
def test_large_chunks_are_fewer(size_bytes, chunks):
    assert chunks_of(size_bytes, 10_000) == chunks


def test_a_wrong_option_is_named():
    done = run("--rounds", "0")
    assert done.returncode == 2
    assert "argument --rounds: expected a whole number above 0, got '0'" in done.stderr
