"""Run Locust as a child process: start it, follow its run, and end it."""

import time
from collections.abc import Callable
from pathlib import Path

from streamgauge.report.live_display import Display, Progress
from streamgauge.report.result import FILE_NAME, read_result
from streamgauge.report.units import some
from streamgauge.runner.interrupt import Interrupt, Interrupted
from streamgauge.runner.load_plan import LoadPlan
from streamgauge.runner.locust_web import IDLE, LocustWeb, LocustWebError
from streamgauge.runner.ports import HOST
from streamgauge.runner.process import Child, ChildError, Children
from streamgauge.runner.runs import Runs, StartOfRun, discard
from streamgauge.runner.timeline import Timeline

_POLL_S = 0.1
#: The longest time for ending: the stop timeout of streams, the grace of workers and the writing of the report.
LONGEST_END_S = 60.0
#: The file that Locust writes last.
_REPORT = "report.html"
#: The beginning of Locust's own tables.
_SUMMARY = "\nType     Name   "


class LocustRun:
    """Locust, the run that it was started for, and further runs that the user starts in the web UI.

    ``child``, ``directory`` and ``timeline`` are set once ``start`` has returned.
    """

    child: Child
    directory: Path
    timeline: Timeline

    def __init__(self, plan: LoadPlan, children: Children, interrupt: Interrupt) -> None:
        self._plan = plan
        self._children = children
        self._interrupt = interrupt
        self._waiting: list[Path] = []

    def start(self) -> None:
        """Start Locust, and return once its run has a directory. Raises ChildError and Interrupted."""
        plan = self._plan
        with StartOfRun(plan.result_dir) as start:
            while not start.taken():
                self._interrupt.check()
                time.sleep(_POLL_S)
            self._runs = Runs(plan.result_dir)
            self.child = self._children.start("Locust", plan.command, plan.log, plan.environment)
            self.child.epilogue = _SUMMARY
            self._asked = plan.web_port is None
            try:
                self.directory = self.child.until_ready(self._begun, self._interrupt, "did not begin a run")
            except Interrupted:
                discard(*self._runs.new(), self.child.log)
                raise
        self.timeline = Timeline(self.directory / "timeline.ndjson")
        self.child.move_log(self.directory / "locust.log")

    def _begun(self) -> Path | None:
        if found := self._runs.new():
            return found[0]
        self._asked = self._asked or self._ask_to_start()
        return None

    def _ask_to_start(self) -> bool:
        """Start the run in the web UI, if the UI and all workers are ready. Return whether a run has started.

        ``--autostart`` would do so as well, but its run time continues after STOP and would end a later run.
        """
        web = LocustWeb(f"http://{HOST}:{self._plan.web_port}")
        try:
            stats = web.stats()
        except LocustWebError:
            return False
        if self._plan.processes > 1 and stats.get("worker_count", 0) < self._plan.processes:
            return False
        if stats["state"] not in IDLE:
            return True  # the user was faster
        try:
            web.start(self._plan.form)
        except LocustWebError as error:
            raise ChildError(f"Locust did not start a run: {error}", self.child) from None
        return True

    def follow(self, display: Display, must_end: Callable[[], bool]) -> None:
        """Show the progress of the run until it ends. Once ``must_end`` returns True, ask Locust to end."""
        began_s, asked_s = time.monotonic(), None
        while self.child.running and not (self._plan.web_port is not None and self._has(_REPORT)):
            now_s = time.monotonic()
            if asked_s is None and must_end():
                asked_s = now_s
                self.child.ask_to_end()
            if asked_s is not None and now_s - asked_s > LONGEST_END_S:
                display.warn(f"Locust did not end within {LONGEST_END_S:g} s and is killed")
                self.child.end()
                break
            self.timeline.read()
            display.show(self._progress(now_s - began_s, ending=asked_s is not None))
            time.sleep(_POLL_S)
        self.timeline.read()

    def _has(self, file: str) -> bool:
        return (self.directory / file).exists()

    def _progress(self, elapsed_s: float, *, ending: bool) -> Progress:
        return Progress(
            phase=self._end_phase() if ending or self._is_over(elapsed_s) else "running",
            elapsed_s=elapsed_s,
            run_time_s=self._plan.run_time_s,
            users=None if self._plan.shaped else self._plan.users,
            finished=self.timeline.finished if self.timeline.latest else None,
            failed=self.timeline.failed if self.timeline.latest else None,
            latest=self.timeline.latest,
        )

    def _is_over(self, elapsed_s: float) -> bool:
        return self._plan.run_time_s is not None and elapsed_s >= self._plan.run_time_s

    def _end_phase(self) -> str:
        if self._has(FILE_NAME):
            return "writing the report"
        if self._plan.processes > 1 or self.timeline.latest is None:
            return "waiting for streams to end"  # their number is known a second later, that of workers more
        active = self.timeline.latest["active"]
        return f"waiting for {some(active, 'stream')} to end" if active else "writing the report"

    def finished(self) -> Path:
        """Return the run's directory, which holds its result.

        Raises Interrupted if the user ended the run before a stream began, and ChildError if Locust wrote no result.
        """
        if self._interrupt.requested and not self.timeline.started:
            self.child.end()
            discard(self.directory)
            raise Interrupted
        if self._has(FILE_NAME):
            return self.directory
        raise ChildError(f"Locust ended with status {self.child.end()} and wrote no result", self.child)

    def later_runs(self) -> list[Path]:
        """Return further runs on the host, started in the web UI, that have ended since the last call."""
        self._waiting += self._runs.new()
        ended = [run for run in self._waiting if (run / _REPORT).exists()]
        self._waiting = [run for run in self._waiting if run not in ended]
        return [run for run in ended if read_result(run)["run"]["host"] == self._plan.host]

    def end(self) -> int:
        """Ask Locust to end, and return its exit status."""
        return self.child.end(LONGEST_END_S)
