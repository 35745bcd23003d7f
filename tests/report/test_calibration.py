"""Where the last calibration is kept, and when it counts."""

import json
import os
import platform
from datetime import UTC, datetime, timedelta, timezone
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
from streamgauge.report.calibration_text import age, recalled, sentence

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


def test_a_machine_is_told_by_its_name_cpu_kernel_and_python():
    found = machine()
    assert found["host"] == platform.node()
    assert found["cpu"].endswith(f", {os.cpu_count()} cores")
    assert found["kernel"] == f"{platform.system()} {platform.release()}"
    assert found["python"] == platform.python_version()


@pytest.mark.parametrize(
    ("lines", "cpu"),
    [
        (["processor : 0", "model name\t: Fast CPU: mark 2 ", "model name\t: Another"], "Fast CPU: mark 2"),
        (["processor : 0", "not the model name : x"], platform.machine()),
        (None, platform.processor() or platform.machine()),
    ],
    ids=["named", "nameless", "unreadable"],
)
def test_the_cpu_is_the_first_that_the_system_names(monkeypatch, lines, cpu):
    def read_text(path: Path) -> str:
        assert path == Path("/proc/cpuinfo")
        if lines is None:
            raise PermissionError
        return "\n".join(lines)

    monkeypatch.setattr(Path, "read_text", read_text)
    assert machine()["cpu"] == f"{cpu}, {os.cpu_count()} cores"


def test_it_is_written_below_folders_that_are_made_for_it_and_over_the_one_before(tmp_path):
    path = tmp_path / "a" / "b" / "c.json"
    for trust in ("degraded", "trusted"):
        assert write_calibration(calibration(trust=trust), path) == path
        assert json.loads(path.read_text()) == calibration(trust=trust)
    assert path.read_text().endswith("}\n")


def test_a_calibration_that_cannot_be_written_leaves_nothing_half_done(tmp_path):
    path = tmp_path / "calibration.json"
    path.mkdir()
    with pytest.raises(OSError, match="director"):
        write_calibration(calibration(), path)
    assert list(tmp_path.iterdir()) == [path]


def test_what_json_does_not_know_is_not_written_over_the_one_before(file):
    write_calibration(calibration(), file)
    with pytest.raises(ValueError, match="JSON compliant"):
        write_calibration(calibration(cpu_max=float("inf")), file)
    assert json.loads(file.read_text()) == calibration()
    assert list(file.parent.iterdir()) == [file]


LOAD = calibration()["load"]


@pytest.mark.parametrize(
    ("changed", "counts"),
    [
        ({"load": {**LOAD, "users": 1}}, True),
        ({"load": {**LOAD, "users": 0}}, False),
        ({"load": {**LOAD, "interval_s": 0.001}}, True),
        ({"load": {**LOAD, "interval_s": -1}}, False),
        ({"load": {"users": 1}}, False),
        ({"load": {"interval_s": 1}}, False),
        ({"floor": {"time_to_first_chunk": 0, "chunk_interval": 0}}, True),
        ({"floor": {"time_to_first_chunk": -1e-6, "chunk_interval": 0.1}}, False),
        ({"floor": {"time_to_first_chunk": 0.1, "chunk_interval": -1e-6}}, False),
        ({"floor": {"time_to_first_chunk": 0.1}}, False),
        ({"trust": "degraded"}, True),
        ({"trust": None}, False),
        ({"schema": "streamgauge.calibration/0"}, False),
        ({"at": None}, False),
        ({"at": AT.replace(tzinfo=None).isoformat()}, False),
        ({"more": 1}, False),
        ({"age_s": 1}, False),
    ],
)
def test_one_counts_that_holds_all_that_results_say_of_it_and_nothing_else(file, changed, counts):
    write_calibration(calibration(**changed), file)
    assert (last_calibration(AT) is not None) is counts


@pytest.mark.parametrize("left_out", sorted(calibration()))
def test_one_that_lacks_a_part_does_not_count(file, left_out):
    found = {name: value for name, value in calibration().items() if name != left_out}
    write_calibration(found, file)
    assert last_calibration(AT) is None


def test_one_of_the_future_is_new(file):
    write_calibration(calibration(), file)
    assert last_calibration(AT - timedelta(hours=1))["age_s"] == 0
    assert last_calibration(AT + timedelta(seconds=0.25))["age_s"] == 0.25


def test_the_age_is_as_of_now_in_any_time_zone(file):
    before = datetime.now(UTC)
    elsewhere = timezone(timedelta(hours=9))
    write_calibration(calibration(at=(before - timedelta(hours=1)).astimezone(elsewhere).isoformat()), file)
    age_s = last_calibration()["age_s"]
    assert 3600 <= age_s <= 3600 + (datetime.now(UTC) - before).total_seconds()


def test_a_user_without_a_home_has_none(monkeypatch):
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    for name in (FILE_VARIABLE, "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", nowhere)
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
