"""The comparison with other load generators: each row beside the log of its own run."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.peers.roster import GENERATORS, Load, Place
from benchmarks.peers.tokenizer import WORD, write_tokenizer
from benchmarks.peers.watch import Use
from benchmarks.testbed.server import ROOT

pytestmark = pytest.mark.timeout(240)
TOKENS, STREAMS = 20, 4


def run(*options):
    command = [sys.executable, "-m", "benchmarks", "peers", *map(str, options)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("peers")
    done = run("--load", "4x20", "--seconds", 1, "--environments", folder, "-o", folder / "figures.json")
    assert done.returncode == 0, done.stderr
    return done, json.loads((folder / "figures.json").read_text())


def test_what_runs_is_held_against_the_log_of_its_own_run(small):
    done, figures = small
    found = {each["generator"]: each for each in figures["loads"][0]["generators"]}
    assert set(found) == {"streamgauge", "Locust FastHttpUser", "Locust HttpUser"}
    for each in found.values():
        assert each["seen"]["streams"] == each["log"]["streams"] == STREAMS
        assert each["log"]["gaps"]["p50"] == pytest.approx(0.05, rel=0.5)
        assert each["memory_bytes"] > 10e6
    ours = found["streamgauge"]
    assert ours["seen"]["gaps"]["p50"] == pytest.approx(ours["log"]["gaps"]["p50"], rel=0.1)
    off = {name: abs(each["seen"]["gaps"]["p50"] - each["log"]["gaps"]["p50"]) for name, each in found.items()}
    assert off["streamgauge"] < off["Locust FastHttpUser"]
    assert "gaps p99" in done.stdout
    assert "the mean gap of each request" not in done.stdout  # of a generator that did not run


def test_a_generator_that_is_not_installed_is_named_with_the_way_to_install_it(small):
    said = " ".join(small[0].stderr.split())
    for package in ("aiperf==0.13.0", "guidellm==0.8.1"):
        assert f"{package} is not installed in" in said
    assert "add --install" in said


@pytest.mark.parametrize("value", ["50", "x20", "50x", "0x20", "50x0", "50xnan"])
def test_a_wrong_load_is_refused(value):
    done = run("--load", value)
    assert done.returncode == 2
    assert f"argument --load: expected streams and tokens a second, such as 50x20, got {value!r}" in done.stderr


def place(folder):
    return Place("http://127.0.0.1:1", folder, folder, folder)


def test_figures_of_aiperf_are_its_gaps_between_chunks(tmp_path):
    (tmp_path / "artifacts").mkdir()
    gaps, first = {"p50": 20, "p90": 30, "p99": 62, "count": 99}, {"p50": 71, "p99": 702, "count": 4}
    means = {"p50": 1, "p90": 2, "p99": 3, "count": 4}
    report = {"inter_chunk_latency": gaps, "inter_token_latency": means, "time_to_first_token": first}
    (tmp_path / "artifacts" / "profile_export_aiperf.json").write_text(json.dumps(report))
    found = GENERATORS["aiperf"].figures(place(tmp_path))
    assert (found.streams, found.gaps, found.first) == (
        4,
        {"p50": 0.02, "p90": 0.03, "p99": 0.062},
        {"p50": 0.071, "p99": 0.702},
    )


def test_figures_of_guidellm_are_those_of_successful_requests(tmp_path):
    def metric(count, **percentiles):
        return {"successful": {"count": count, "percentiles": percentiles}, "total": {"count": 9, "percentiles": {}}}

    metrics = {
        "inter_token_latency_ms": metric(80, p50=20, p90=21, p99=21.5),
        "time_to_first_token_ms": metric(4, p50=208, p99=528),
    }
    (tmp_path / "guidellm.json").write_text(json.dumps({"benchmarks": [{"metrics": metrics}]}))
    found = GENERATORS["guidellm"].figures(place(tmp_path))
    assert (found.streams, found.gaps["p99"], found.first) == (4, 0.0215, {"p50": 0.208, "p99": 0.528})


def test_every_generator_reads_as_many_streams_at_once_as_the_load_has(tmp_path):
    for generator in GENERATORS.values():
        command = " ".join(generator.command(Load(37, 20, 1), place(tmp_path)))
        assert any(form in command for form in ("-u 37 -r 37", "--concurrency 37", "streams=37")), command


def test_cpu_time_counts_between_two_moments_only():
    use = Use([100, 200, 300, 400], [1.0, 3.0, 4.0, 8.0])
    assert use.cpu_between_s(150, 350) == pytest.approx(6.0 - 2.0)
    assert use.cpu_between_s(0, 999) == 7.0


def test_the_source_s_word_is_one_token(tmp_path):
    model = json.loads((write_tokenizer(tmp_path) / "tokenizer.json").read_text())["model"]
    word = WORD.replace(" ", "Ġ")
    assert word in model["vocab"]
    parts = list(word)
    for merge in model["merges"]:
        left, right = merge.split(" ")
        assert parts[:2] == [left, right]
        parts[:2] = [left + right]
    assert parts == [word]
    assert Path(tmp_path, "tokenizer_config.json").exists()
