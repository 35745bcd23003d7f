"""The totals of dead processes are folded into one set of files, without loss and without counting anything twice."""

import fcntl
import json
import os
import subprocess
import sys

import pytest
from prometheus_client.mmap_dict import MmapedDict, mmap_key

from streamgauge.asgi import dead_processes
from streamgauge.asgi.dead_processes import fold_dead_processes, reading

#: Process ids that no process of a test has.
DEAD = (4_000_001, 4_000_002, 4_000_003)


def key(name, help_text="Help.", **labels):
    return mmap_key(name, name, list(labels), list(labels.values()), help_text)


def write(directory, kind, pid, values):
    file = MmapedDict(str(directory / f"{kind}_{pid}.db"))
    for each, (value, timestamp) in values.items():
        file.write_value(each, value, timestamp)
    file.close()


def died(directory, pid, wrote=b"measures"):
    (directory / f"alive_{pid}.lock").write_bytes(wrote)


def totals(directory, kind):
    file = directory / f"{kind}_0.db"
    return {each: value for each, value, _, _ in MmapedDict.read_all_values_from_file(str(file))}


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("counter", 6.0),
        ("histogram", 6.0),
        ("summary", 6.0),
        ("gauge_sum", 6.0),
        ("gauge_min", 1.0),
        ("gauge_max", 3.0),
        ("gauge_mostrecent", 2.0),
    ],
)
def test_values_of_dead_processes_become_one(tmp_path, kind, expected):
    for pid, value, timestamp in zip(DEAD, (1.0, 2.0, 3.0), (10.0, 30.0, 20.0), strict=True):
        write(tmp_path, kind, pid, {key("a"): (value, timestamp), key("b", pid=str(pid)): (value, timestamp)})
        died(tmp_path, pid)
        fold_dead_processes(tmp_path)
    found = totals(tmp_path, kind)
    assert found.pop(key("a")) == expected
    assert sorted(found.values()) == [1.0, 2.0, 3.0]
    assert {file.name for file in tmp_path.iterdir()} == {f"{kind}_0.db", "fold.lock"}


def test_live_gauges_go_and_gauges_of_each_process_stay(tmp_path):
    for kind in ("gauge_livesum", "gauge_liveall", "gauge_all"):
        write(tmp_path, kind, DEAD[0], {key("a"): (1.0, 0.0)})
    died(tmp_path, DEAD[0])
    fold_dead_processes(tmp_path)
    assert [file.name for file in tmp_path.glob("*.db")] == [f"gauge_all_{DEAD[0]}.db"]


def test_a_live_process_and_one_that_is_not_known_are_left_alone(tmp_path):
    """A process without a lock file may live in another container."""
    for pid in DEAD[:2]:
        write(tmp_path, "counter", pid, {key("a"): (1.0, 0.0)})
    died(tmp_path, DEAD[0])
    hold = f"""
import fcntl, sys
file = open({str(tmp_path / f"alive_{DEAD[0]}.lock")!r}, "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
    with subprocess.Popen([sys.executable, "-c", hold], stdin=-1, stdout=-1) as alive:
        assert alive.stdout.readline() == b"held\n"
        fold_dead_processes(tmp_path)
        assert not (tmp_path / "counter_0.db").exists()
        alive.stdin.close()
    fold_dead_processes(tmp_path)
    assert {file.name for file in tmp_path.glob("*.db")} == {"counter_0.db", f"counter_{DEAD[1]}.db"}


@pytest.mark.parametrize("step", ["_write_totals", "_finish"])
def test_a_crash_while_folding_loses_nothing_and_counts_nothing_twice(tmp_path, monkeypatch, step):
    write(tmp_path, "counter", 0, {key("a"): (10.0, 0.0)})
    for kind in ("counter", "histogram"):
        write(tmp_path, kind, DEAD[0], {key("a"): (1.0, 0.0)})
    died(tmp_path, DEAD[0])
    real, calls = getattr(dead_processes, step), []

    def crash(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(dead_processes, step, crash)
        with pytest.raises(KeyboardInterrupt):
            fold_dead_processes(tmp_path)
    fold_dead_processes(tmp_path)
    assert totals(tmp_path, "counter") == {key("a"): 11.0}
    assert totals(tmp_path, "histogram") == {key("a"): 1.0}
    assert {file.name for file in tmp_path.iterdir()} == {"counter_0.db", "histogram_0.db", "fold.lock"}


def test_nothing_is_folded_while_a_scrape_reads(tmp_path):
    died(tmp_path, DEAD[0])
    with reading(tmp_path), (tmp_path / "fold.lock").open() as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_an_unfinished_file_of_a_dead_process_is_no_obstacle(tmp_path):
    (tmp_path / f"counter_{DEAD[0]}.db").touch()
    died(tmp_path, DEAD[0], b"")
    fold_dead_processes(tmp_path)
    assert totals(tmp_path, "counter") == {}


@pytest.mark.parametrize(("wrote", "shutdown"), [(b"measures, ends", 7.0), (b"measures", 2.0)], ids=["asked", "not"])
def test_streams_that_a_process_cut_after_a_signal_count_as_shutdown(tmp_path, wrote, shutdown):
    """The server kills a worker that does not end soon enough; the worker cannot count that any more."""
    series = {"route": "/s", "protocol": "sse"}
    ends = {
        outcome: json.dumps(
            ["stream_server_finished", "stream_server_finished_total", {**series, "outcome": outcome}, "Help."],
            sort_keys=True,
        )
        for outcome in ("shutdown", "completed")
    }
    write(tmp_path, "counter", DEAD[0], {ends["shutdown"]: (2.0, 0.0), ends["completed"]: (3.0, 0.0)})
    write(tmp_path, "gauge_livesum", DEAD[0], {key("stream_server_active", **series): (5.0, 0.0)})
    died(tmp_path, DEAD[0], wrote)
    fold_dead_processes(tmp_path)
    assert totals(tmp_path, "counter") == {ends["shutdown"]: shutdown, ends["completed"]: 3.0}


def test_this_process_is_never_folded(tmp_path):
    write(tmp_path, "counter", os.getpid(), {key("a"): (1.0, 0.0)})
    died(tmp_path, os.getpid())
    fold_dead_processes(tmp_path)
    assert not (tmp_path / "counter_0.db").exists()
