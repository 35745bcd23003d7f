"""Following a timeline that is being written."""

import json
from pathlib import Path

import pytest

from streamgauge.report.live_display import Progress
from streamgauge.runner.runs import Runs, StartOfRun
from streamgauge.runner.timeline import Timeline


def _point(t_s: int, finished: int) -> str:
    between = {"p50": 0.05, "p99": 0.0521}
    point = {"t_s": t_s, "active": 7, "started": 9, "finished": finished, "failed": 1, "chunks": 140, "bytes": 4096}
    return json.dumps({**point, "time_to_first_chunk": between, "chunk_interval": between}) + "\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "timeline.ndjson"


def test_a_timeline_that_is_not_there_yet_is_empty(file):
    timeline = Timeline(file)
    timeline.read()
    assert timeline.latest is None


def test_points_add_up(file):
    timeline = Timeline(file)
    for t_s in range(3):
        with file.open("a") as output:
            output.write(_point(t_s, finished=5 + t_s))
        timeline.read()
    assert (timeline.started, timeline.finished, timeline.failed) == (27, 18, 3)
    assert timeline.latest is not None
    assert timeline.latest["t_s"] == 2


def test_half_a_line_waits_for_its_end(file):
    timeline, line = Timeline(file), _point(0, finished=4)
    file.write_text(line[:20])
    timeline.read()
    assert timeline.latest is None
    file.write_text(line)
    timeline.read()
    assert timeline.finished == 4


def test_figures_of_a_second_that_is_not_known_are_not_zero():
    progress = Progress("running", 0, 30, 100, 0, 0, None)
    assert {what: value for value, what in progress.figures}["chunks/s"] == "–"


def test_only_directories_of_runs_that_are_new_are_found(tmp_path: Path):
    (tmp_path / "20260301T101500Z-0a1b").mkdir()
    runs = Runs(tmp_path)
    (tmp_path / "20260301T101600Z-0a1b").mkdir()
    (tmp_path / "demo-1-app.log").touch()
    assert runs.new() == [tmp_path / "20260301T101600Z-0a1b"]
    assert runs.new() == []


def test_one_demo_at_a_time_starts_a_run(tmp_path: Path):
    with StartOfRun(tmp_path) as first, StartOfRun(tmp_path) as second:
        assert first.taken()
        assert not second.taken()
    with StartOfRun(tmp_path) as third:
        assert third.taken()


@pytest.mark.parametrize(
    ("uncertain", "shown"), [({}, "50.0 ms"), ({"chunk_interval": {"p99": (0.01, 0.09)}}, "≈50.0 ms")]
)
def test_progress_marks_what_coalesced_reads_leave_open(uncertain, shown):
    point = {"active": 1, "chunks": 9, "chunk_interval": {"p50": 0.05, "p99": 0.05}, "uncertain": uncertain}
    assert (shown, "interval p99") in Progress("running", 0, 30, 100, 0, 0, point).figures
