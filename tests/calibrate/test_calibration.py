"""Where the last calibration is kept, and when it counts."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streamgauge.report.calibration import (
    FILE_VARIABLE,
    SCHEMA,
    Calibration,
    kept_at,
    last_calibration,
    machine,
    write_calibration,
)
from streamgauge.report.floor import age, recalled, sentence

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def calibration(**changed) -> Calibration:
    figure = {"client": 0.05, "log": 0.04992, "difference": 0.00008, "least": 0.0499, "most": 0.04993}
    figures = dict.fromkeys(("p50", "p90", "p99"), figure)
    spread = {"p50": 1e-6, "p99": 1e-5, "max": 1e-4}
    return {
        "schema": SCHEMA,
        "at": AT.isoformat(),
        "machine": machine(),
        "load": {
            "users": 100,
            "interval_s": 0.05,
            "chunk_bytes": 100,
            "run_time_s": 10,
            "streams": 500,
            "chunks": 9000,
        },
        "metrics": {"time_to_first_chunk": figures, "chunk_interval": figures},
        "floor": {"time_to_first_chunk": 0.00008, "chunk_interval": 0.00012},
        "arrival_error": spread,
        "asking": spread,
        "lag": spread,
        "cpu_max": 0.08,
        "trust": "trusted",
        "reasons": [],
        **changed,
    }


@pytest.fixture
def file(tmp_path, monkeypatch):
    path = tmp_path / "state" / "calibration.json"
    monkeypatch.setenv(FILE_VARIABLE, str(path))
    return path


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({FILE_VARIABLE: "/a/b.json", "XDG_STATE_HOME": "/state"}, "/a/b.json"),
        ({"XDG_STATE_HOME": "/state"}, "/state/streamgauge/calibration.json"),
        ({"XDG_STATE_HOME": "not/absolute"}, "/home/me/.local/state/streamgauge/calibration.json"),
        ({}, "/home/me/.local/state/streamgauge/calibration.json"),
    ],
)
def test_it_is_kept_where_the_environment_says(monkeypatch, variables, path):
    for name in (FILE_VARIABLE, "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/me", **variables}.items():
        monkeypatch.setenv(name, value)
    assert kept_at() == Path(path)


def test_what_was_written_is_the_last_one_and_has_its_age(file):
    write_calibration(calibration(), file)
    assert last_calibration(AT + timedelta(minutes=5)) == {**calibration(), "age_s": 300.0}
    assert [each.name for each in file.parent.iterdir()] == [file.name]


@pytest.mark.parametrize("fact", ["host", "cpu", "kernel", "python"])
def test_that_of_another_machine_does_not_count(file, fact):
    write_calibration(calibration(machine={**machine(), fact: "another"}), file)
    assert last_calibration() is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "[" * 100_000, json.dumps({"schema": SCHEMA, "machine": machine()})),
        json.dumps(calibration(at="once")),
        json.dumps(calibration(cpu_max=float("nan"))),
        json.dumps(calibration(floor=None)),
        json.dumps(calibration(floor={"chunk_interval": 0.1})),
        json.dumps(calibration(load={"users": "100", "interval_s": 0.05})),
        json.dumps(calibration(load={"users": 100, "interval_s": 0})),
    ],
)
def test_a_file_that_holds_none_does_not_count(file, text):
    file.parent.mkdir()
    file.write_text(text)
    assert last_calibration() is None


def test_without_a_file_there_is_none(file):
    assert last_calibration() is None


def test_the_sentence_names_load_and_floor():
    assert sentence(calibration()) == (
        "At 100 streams × 20 chunks/s this machine measures chunk intervals to within ±120 µs, times to first chunk to "
        "within ±80.0 µs, at p50, p90 and p99."
    )


def test_a_calibration_that_was_not_trusted_says_so():
    assert "degraded" in sentence(calibration(trust="degraded"))
    assert "(degraded)" in recalled(calibration(trust="degraded", age_s=7200))


@pytest.mark.parametrize(
    ("age_s", "words"), [(0, "just now"), (300, "5 min ago"), (3 * 3600, "3 h ago"), (12 * 86400, "12 days ago")]
)
def test_the_age_is_told_roughly(age_s, words):
    assert age(age_s) == words
