"""A demo's loops: what they look at, start and show ten times a second leaves nothing."""

import io
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from streamgauge.report.live_display import Display, Progress
from streamgauge.runner.ports import PortChooser
from streamgauge.runner.process import Children, python_module
from streamgauge.runner.runs import Runs, StartOfRun, discard
from streamgauge.runner.timeline import Timeline
from tests.held import left_behind

POINT = '{"t_s": 0, "active": 1, "started": 1, "finished": 1, "failed": 0, "chunks": 1}\n'
SHOWN = {"t_s": 0, "active": 1, "chunks": 10, "chunk_interval": {"p50": 0.05, "p99": 0.05}}
TIMES = 10


def following(folder: Path) -> Callable[[], object]:
    timeline = Timeline(folder / "timeline.ndjson")

    def repeat() -> None:
        with (folder / "timeline.ndjson").open("a") as file:
            file.write(POINT)
        timeline.read()

    return repeat


def finding_runs(folder: Path) -> Callable[[], object]:
    (folder / "20260101T000000Z-0a0a").mkdir()
    runs = Runs(folder)
    return lambda: runs.new()


def beginning(folder: Path) -> Callable[[], object]:
    def repeat() -> None:
        with StartOfRun(folder) as start:
            assert start.taken()  # which the one before has let go of

    return repeat


def choosing_ports(_folder: Path) -> Callable[[], object]:
    return lambda: PortChooser().choose("app", 0)


def showing(_folder: Path) -> Callable[[], object]:
    display, out = Display(quiet=False), io.StringIO()
    display._console = Console(file=out, force_terminal=True, width=80, height=40)

    def repeat() -> None:
        display.show(Progress("running", 10, 30, 20, 9, 1, SHOWN))
        out.seek(0)
        out.truncate()

    return repeat


@pytest.mark.parametrize("loop", [following, finding_runs, beginning, choosing_ports, showing])
def test_nothing_is_left_of_a_turn(loop, tmp_path):
    assert left_behind(loop(tmp_path), TIMES) == {}


def test_nothing_is_left_of_children(until, tmp_path):
    """Neither of one that ended by itself nor of one that must be killed, with what it has started."""
    (tmp_path / "sleeper.py").write_text(
        "import subprocess, sys, time\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)\n"
        "time.sleep(600 if sys.argv[1] == 'on' else 0)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    before = {each.name for each in Path("/proc/self/fd").iterdir()}
    grandchildren = []
    with Children() as children:
        for how in ("on", "off"):
            log = tmp_path / f"{how}.log"
            child = children.start(how, python_module("sleeper", how), log, environment)
            while not child.tail().isdigit() or (how == "off" and child.running):
                time.sleep(0.01)
            grandchildren.append(int(child.tail()))
    until(lambda: not any(map(runs, grandchildren)), "what a child had started has ended")
    assert {each.name for each in Path("/proc/self/fd").iterdir()} == before
    discard(*tmp_path.iterdir())
    assert list(tmp_path.iterdir()) == []


def runs(pid: int) -> bool:
    """Whether a process runs: one that nobody has asked for its status since it ended does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
