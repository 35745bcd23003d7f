"""A calibration from start to end: the source, Locust on it, and what both say."""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from streamgauge.calibrate.figures import CalibrationError, calibration_of
from streamgauge.calibrate.truth import begun, fetch
from streamgauge.report.calibration import Calibration
from streamgauge.report.result import NamedStreams, Result, read_result
from streamgauge.report.sums import failed, totals
from streamgauge.report.units import some
from streamgauge.runner.display import Display, Progress
from streamgauge.runner.interrupt import Interrupt, Interrupted, Killed
from streamgauge.runner.process import Child, ChildError, Children
from streamgauge.runner.timeline import Timeline
from streamgauge.verdict.exit_status import ExitStatus

_TURN_S, _START_S, _LONGEST_END_S = 0.1, 60.0, 60.0
#: Streams last about so long, so that there are many starts and few of the streams outlive the run for long.
_STREAM_S = 2.0
_FIRST_CHUNKS = "first_chunks.json"


@dataclass(frozen=True, slots=True)
class Plan:
    """The planned load."""

    users: int
    interval_ms: float
    run_time_s: int
    chunk_bytes: int

    @property
    def path(self) -> str:
        """The source's."""
        chunks = max(2, round(_STREAM_S * 1000 / self.interval_ms))
        return f"/sse?chunks={chunks}&interval_ms={self.interval_ms:g}&bytes={self.chunk_bytes}"

    @property
    def load(self) -> dict[str, float]:
        """As the calibration has it."""
        return {
            "users": self.users,
            "interval_s": self.interval_ms / 1000,
            "chunk_bytes": self.chunk_bytes,
            "run_time_s": self.run_time_s,
        }


def calibrate(plan: Plan, interrupt: Interrupt, *, quiet: bool) -> Calibration | int:
    """Run the calibration: what it found, or the exit status where it found nothing."""
    display = Display(quiet=quiet)
    try:
        with tempfile.TemporaryDirectory(prefix="streamgauge-") as directory, Children() as children:
            return _Calibrator(plan, display, interrupt, children, Path(directory)).run()
    except (Interrupted, Killed):
        display.warn("Interrupted: nothing was calibrated.")
        return ExitStatus.INTERRUPTED
    except (ChildError, CalibrationError) as error:
        child = getattr(error, "child", None)
        display.warn(f"streamgauge calibrate: {error}", child.tail() if child else "")
        return ExitStatus.FAILED
    finally:
        display.close()


def commonest(streams: Iterable[NamedStreams]) -> str:
    """The three most frequent reasons of failures, and how many streams gave each."""
    reasons: Counter[str] = Counter()
    for each in streams:
        reasons.update(each["reasons"])
    return "; ".join(f"{times} × {reason}" for reason, times in reasons.most_common(3))


class _Calibrator:
    def __init__(self, plan: Plan, display: Display, interrupt: Interrupt, children: Children, directory: Path) -> None:
        self._plan = plan
        self._display = display
        self._interrupt = interrupt
        self._children = children
        self._directory = directory

    def run(self) -> Calibration:
        url = self._start_source()
        self._display.say(f"Calibrating: {some(self._plan.users, 'stream')} for {self._plan.run_time_s} s")
        result = self._drive(url)
        self._display.close()
        self._interrupt.check()
        outcomes = totals(result["streams"])["outcomes"]
        if failed(outcomes):
            raise CalibrationError(f"{some(failed(outcomes), 'stream')} failed: {commonest(result['streams'])}")
        try:
            beginnings = json.loads((self._directory / _FIRST_CHUNKS).read_text())
            streams = begun(fetch(url), beginnings)
        except OSError as error:
            raise CalibrationError(f"the log of the source cannot be had: {error}") from None
        return calibration_of(result, streams, self._plan.load)

    def _start_source(self) -> str:
        source = self._children.start("the source", "streamgauge.calibrate.source", (), self._directory / "source.log")
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            self._interrupt.check()
            if (port := source.log.read_text().strip()).isdigit():
                return f"http://127.0.0.1:{port}"
            if not source.running:
                raise ChildError(f"the source ended at its start, with status {source.end()}", source)
            time.sleep(_TURN_S / 4)
        raise ChildError(f"the source was not ready after {_START_S:g} s", source)

    def _drive(self, url: str) -> Result:
        """Run Locust to its end, and show how it goes."""
        locust = self._children.start("Locust", "locust", self._arguments(url), self._directory / "locust.log")
        run = self._await_run(locust)
        timeline, began_s = Timeline(run / "timeline.ndjson"), time.monotonic()
        while locust.running:
            self._interrupt.check()
            elapsed_s = time.monotonic() - began_s
            if elapsed_s > self._plan.run_time_s + _LONGEST_END_S:
                raise ChildError("Locust did not end", locust)
            timeline.read()
            self._display.show(self._progress(timeline, elapsed_s))
            time.sleep(_TURN_S)
        status = locust.end()
        if not (run / "result.json").exists():
            raise ChildError(f"Locust ended with status {status} and left no result", locust)
        return read_result(run)

    def _await_run(self, locust: Child) -> Path:
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s:
            self._interrupt.check()
            if found := [each for each in self._directory.iterdir() if each.is_dir()]:
                return found[0]
            if not locust.running:
                raise ChildError(f"Locust ended at its start, with status {locust.end()}", locust)
            time.sleep(_TURN_S)
        raise ChildError(f"Locust began no run within {_START_S:g} s", locust)

    def _arguments(self, url: str) -> list[str]:
        plan = self._plan
        scenario = find_spec("streamgauge.calibrate.scenario")
        assert scenario is not None
        assert scenario.origin is not None
        return [
            *("-f", scenario.origin, "-H", url, "--headless", "--only-summary", "--metrics-port", "off"),
            *("-u", str(plan.users), "-r", f"{max(1.0, plan.users / 2):g}", "-t", f"{plan.run_time_s}s"),
            *("--stream-path", plan.path, "--stream-end", "event:done", "--result-dir", str(self._directory)),
        ]

    def _progress(self, timeline: Timeline, elapsed_s: float) -> Progress:
        return Progress(
            phase="calibrating" if elapsed_s < self._plan.run_time_s else "ending",
            elapsed_s=elapsed_s,
            run_time_s=self._plan.run_time_s,
            users=self._plan.users,
            finished=timeline.finished,
            failed=timeline.failed,
            latest=timeline.latest,
        )
