"""Each way in which a stream can fail, at random and many at once, is taken for what it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import faults
from benchmarks.testbed import behaviours
from streamgauge.stats.outcome import Outcome

pytestmark = pytest.mark.timeout(360)

ROOT = Path(__file__).parents[2]
STREAMS = 210


def run(*arguments):
    command = [sys.executable, "-m", "benchmarks", "faults", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    file = tmp_path_factory.mktemp("faults") / "out.json"
    done = run("--streams", str(STREAMS), "--users", "70", "-o", str(file))
    return done, json.loads(file.read_text())


def test_no_stream_of_a_faulty_source_is_misclassified(small):
    done, report = small
    assert report["misclassified"] == []
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_stream_ends_once_and_is_counted_once(small):
    _, report = small
    assert (report["ended"], report["counted"], report["still_active"]) == (STREAMS, STREAMS, 0)


def test_the_table_has_every_behaviour_with_what_it_means(small):
    done, report = small
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    for name, outcome in faults.meanings().items():
        assert outcome in lines[name]
        assert sum(report["outcomes"][name].values()) == STREAMS // len(faults.meanings())


def test_every_outcome_is_meant_by_some_behaviour_but_the_runs_end_and_the_scenarios_checks():
    assert set(faults.meanings().values()) == set(Outcome) - {Outcome.CENSORED, Outcome.CHECK_FAILED}


@pytest.mark.parametrize("name", behaviours.meanings())
def test_what_a_behaviour_does_comes_from_its_seed_alone(name):
    assert behaviours.script_of(name, 5) == behaviours.script_of(name, 5)


def test_an_outcome_that_is_not_meant_is_named_and_fails(monkeypatch, capsys):
    monkeypatch.setattr(behaviours, "meanings", lambda: {"good_chunked": "truncated"})
    assert faults.main(["--streams", "2", "--users", "2"]) == 1
    assert "good_chunked (seed" in capsys.readouterr().out


def test_a_count_of_none_is_refused():
    done = run("--streams", "0")
    assert done.returncode == 2
    assert "argument --streams: expected a whole number above 0, got '0'" in done.stderr
