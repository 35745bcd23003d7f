"""Start a run through the Locust master's web interface, follow it, and say what it found: ``make load``.

The arguments are Locust's own and those of the stack's locustfile; LOCUST_ARGS of the environment is read before them.
The exit status is the verdict's: 0 passed, 1 failed, 3 not to be trusted. It is 2 where an argument is wrong or no run
is possible, and 130 where Ctrl-C ended the run early.

This runs beside the master, in its container, and reads the results that it writes.
"""

import os
import shlex
import sys
import time
from pathlib import Path

from scenario import SAMPLE, Scenario, read_scenario
from target import SAMPLE_METRICS, Target

from streamgauge.report.live_display import Display, Progress
from streamgauge.report.result import read_result
from streamgauge.runner.conclusion import Conclusion
from streamgauge.runner.interrupt import Interrupt, Killed
from streamgauge.runner.locust_web import IDLE, LocustWeb, LocustWebError
from streamgauge.runner.runs import Runs
from streamgauge.runner.timeline import Timeline
from streamgauge.verdict.exit_status import ExitStatus

TURN_S = 0.2
POLL_S = 1.0
START_S = 30.0
#: Longest that a run may take to end after its time: the streams' stop timeout, and the master's own waiting.
GRACE_S = 90.0
REPORT_S = 60.0
README = "README.md, 'Test a service of your own in the stack', says how."
MIX = (
    "This is the sample app's mix of paths, and the load goes to {host}. Unless that has the same paths, every stream "
    f"gets a 404. Set LOCUSTFILE and LOCUST_STREAM_PATH: {README}"
)
NOT_FOUND = f"{{host}} has none of the paths that were asked for: every stream got a 404. {README}"


class Load:
    """One run, from its request to its result."""

    def __init__(self, scenario: Scenario, master: LocustWeb, results: Path, display: Display) -> None:
        self._scenario = scenario
        self._master = master
        self._display = display
        self._interrupt = Interrupt()
        self._runs = Runs(results)

    def run(self, conclusion: Conclusion) -> int:
        """Do it, and return its exit status. Raises LocustWebError and Killed."""
        with self._interrupt:
            self._start()
            directory = self._await_directory()
            self._follow(directory)
            self._await_report(directory)
            self._display.close()
            self._display.say("")
            status = conclusion.conclude(directory)
            return ExitStatus.INTERRUPTED if self._interrupt.requested else status

    def _start(self) -> None:
        found = self._master.stats()
        if found["state"] not in IDLE:
            raise LocustWebError(f"a run is under way ({found['state']}); wait for its end, or stop it in the web UI")
        if found.get("worker_count", 1) == 0:
            raise LocustWebError("no worker is connected to the master; make logs shows why")
        scenario = self._scenario
        self._display.say(f"Load on {scenario.host}: {scenario.users} users for {scenario.run_time_s} s")
        self._master.start(scenario.form)

    def _await_directory(self) -> Path:
        deadline_s = time.monotonic() + START_S
        while time.monotonic() < deadline_s:
            if found := self._runs.new():
                return found[0]
            time.sleep(TURN_S)
        raise LocustWebError(f"the run has not begun within {START_S:g} s; make logs shows why")

    def _follow(self, directory: Path) -> None:
        """Show the run until it has stopped; stop it when the user asks."""
        timeline, began_s, polled_s = Timeline(directory / "timeline.ndjson"), time.monotonic(), 0.0
        stopping = begun = False
        while True:
            now_s = time.monotonic()
            if self._interrupt.requested and not stopping:
                stopping = True
                self._display.say("Ending: streams under way may end first. Ctrl-C again leaves the run to itself.")
                self._master.stop(GRACE_S)
            if now_s - polled_s >= POLL_S:
                polled_s, stats = now_s, self._master.stats()
            idle = stats["state"] in IDLE
            if idle and (begun or now_s - began_s > START_S):
                return
            begun = begun or not idle
            timeline.read()
            self._display.show(self._progress(timeline, now_s - began_s, stats))
            if not self._scenario.shaped and now_s - began_s > self._scenario.run_time_s + GRACE_S:
                raise LocustWebError(f"the run did not stop: it is {stats['state']!r}; stop it in the web UI")
            time.sleep(TURN_S)

    def _progress(self, timeline: Timeline, elapsed_s: float, stats: dict[str, object]) -> Progress:
        under_way = elapsed_s < self._scenario.run_time_s or self._scenario.shaped
        return Progress(
            phase="running" if under_way else "waiting for streams to end",
            elapsed_s=elapsed_s,
            run_time_s=self._scenario.run_time_s,
            users=int(str(stats["user_count"])),
            finished=timeline.finished,
            failed=timeline.failed,
            latest=timeline.latest,
        )

    def _await_report(self, directory: Path) -> None:
        """The report comes last: where it is, all is written."""
        deadline_s = time.monotonic() + REPORT_S
        while not (directory / "report.html").exists():
            if time.monotonic() > deadline_s:
                raise LocustWebError("the run left no result, because no stream was started; make logs shows why")
            time.sleep(TURN_S)
        note(directory)


def note(directory: Path) -> None:
    """Leave the run's name where deploy/load finds it, which copies the result out of the container."""
    if path := os.environ.get("LOAD_NOTE"):
        Path(path).write_text(directory.name)


def all_not_found(directory: Path) -> bool:
    """Whether no stream of a run ended in anything but a 404."""
    result = read_result(directory)
    reasons = {reason for each in result["streams"] for reason in each["reasons"]}
    outcomes = {name for each in result["streams"] for name, times in each["outcomes"].items() if times}
    return outcomes == {"http_error"} and all("404" in reason for reason in reasons)


def metrics_of(host: str) -> str:
    """The address of the metrics of ``host``; TARGET_METRICS is for the host that the stack was started for."""
    given = os.environ.get("TARGET_METRICS") if host == os.environ.get("LOCUST_HOST", "").rstrip("/") else ""
    return given or (SAMPLE_METRICS if host == SAMPLE else "")


def load(arguments: list[str]) -> int:
    """The whole of it. Raises LocustWebError and Killed."""
    scenario = read_scenario([*shlex.split(os.environ.get("LOCUST_ARGS", "")), *arguments], len(arguments))
    display = Display(quiet=False)
    results = Path(os.environ.get("LOCUST_STREAM_RESULT_DIR", "results"))
    results.mkdir(parents=True, exist_ok=True)
    master = LocustWeb(os.environ.get("LOAD_MASTER", "http://127.0.0.1:8089"))
    if scenario.is_sample_mix and scenario.host != SAMPLE:
        display.warn(MIX.format(host=scenario.host))
    metrics = metrics_of(scenario.host)
    known = Runs(results)
    try:
        status = Load(scenario, master, results, display).run(
            Conclusion(Target.of(scenario.host, metrics, display), display)
        )
    finally:
        display.close()
    if any(all_not_found(directory) for directory in known.new()):
        display.warn(NOT_FOUND.format(host=scenario.host))
    return status


def main() -> int:
    """The command."""
    try:
        return load(sys.argv[1:])
    except LocustWebError as error:
        sys.stderr.write(f"make load: {error}\n")
        return ExitStatus.USAGE
    except Killed:
        sys.stderr.write("make load: interrupted; the run goes on, see Locust's web UI\n")
        return ExitStatus.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
