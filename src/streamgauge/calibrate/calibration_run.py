"""A calibration from start to end: start the source, run Locust on it, compare the figures of both."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from streamgauge.calibrate.figures import CalibrationError, calibration_of
from streamgauge.calibrate.truth import streams_of
from streamgauge.report.calibration import Calibration
from streamgauge.report.live_display import Display
from streamgauge.report.result import NamedStreams, Result, read_result
from streamgauge.report.sums import failed, totals
from streamgauge.report.units import some
from streamgauge.runner.interrupt import Interrupt, Interrupted, Killed
from streamgauge.runner.load_plan import LoadPlan, environment_without_locust
from streamgauge.runner.locust_run import LONGEST_END_S, LocustRun
from streamgauge.runner.process import ChildError, Children, python_module
from streamgauge.verdict.exit_status import ExitStatus

#: About how long each stream lasts: short enough for many starts, and for few streams that outlive the run for long.
_STREAM_S = 2.0


@dataclass(frozen=True, slots=True)
class Plan:
    """The load of a calibration."""

    users: int
    interval_ms: float
    run_time_s: int
    chunk_bytes: int

    @property
    def path(self) -> str:
        """The path to request from the source."""
        chunks = max(2, round(_STREAM_S * 1000 / self.interval_ms))
        return f"/sse?chunks={chunks}&interval_ms={self.interval_ms:g}&bytes={self.chunk_bytes}"

    @property
    def figures(self) -> dict[str, float]:
        """The load as the calibration's file holds it."""
        return {
            "users": self.users,
            "interval_s": self.interval_ms / 1000,
            "chunk_bytes": self.chunk_bytes,
            "run_time_s": self.run_time_s,
        }

    def load(self, url: str, directory: Path) -> LoadPlan:
        """Make the plan of the run on the source at ``url``. Locust's environment variables are ignored."""
        scenario = find_spec("streamgauge.calibrate.scenario")
        assert scenario is not None
        assert scenario.origin is not None
        return LoadPlan(
            locustfile=Path(scenario.origin),
            host=url,
            users=self.users,
            spawn_rate=max(1.0, self.users / 2),
            run_time_s=self.run_time_s,
            result_dir=directory,
            log=directory / "locust.log",
            environment=environment_without_locust(),
            options=("--stream-path", self.path, "--stream-end", "event:done", "--metrics-port", "off"),
        )


def calibrate(plan: Plan, interrupt: Interrupt, *, quiet: bool) -> Calibration | int:
    """Run the calibration. Return its figures, or the exit status if there are none."""
    display = Display(quiet=quiet)
    try:
        with tempfile.TemporaryDirectory(prefix="streamgauge-") as directory, Children() as children:
            return _Calibrator(plan, display, interrupt, children, Path(directory)).run()
    except (Interrupted, Killed):
        display.warn("Interrupted: the calibration has no figures.")
        return ExitStatus.INTERRUPTED
    except ChildError as error:
        display.warn(f"streamgauge calibrate: {error}", error.last_output)
        return ExitStatus.FAILED
    except CalibrationError as error:
        display.warn(f"streamgauge calibrate: {error}")
        return ExitStatus.FAILED
    finally:
        display.close()


def commonest(streams: Iterable[NamedStreams]) -> str:
    """Name the three most frequent reasons of failures, each with its number of streams."""
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
        outcomes = totals(result["streams"])["outcomes"]
        if failed(outcomes):
            raise CalibrationError(f"{some(failed(outcomes), 'stream')} failed: {commonest(result['streams'])}")
        try:
            streams = streams_of(url, self._directory)
        except OSError as error:
            raise CalibrationError(f"cannot read the log of the source: {error}") from None
        return calibration_of(result, streams, self._plan.figures)

    def _start_source(self) -> str:
        command = python_module("streamgauge.calibrate.source")
        source = self._children.start("the source", command, self._directory / "source.log")

        def port() -> str | None:
            printed = source.output.strip()
            return printed if printed.isdigit() else None

        return f"http://127.0.0.1:{source.until_ready(port, self._interrupt)}"

    def _drive(self, url: str) -> Result:
        """Run Locust to its end and show its progress."""
        locust = LocustRun(self._plan.load(url, self._directory), self._children, self._interrupt)
        locust.start()
        deadline_s = time.monotonic() + self._plan.run_time_s + LONGEST_END_S

        def must_end() -> bool:
            self._interrupt.check()
            return time.monotonic() > deadline_s

        locust.follow(self._display, must_end)
        self._display.close()
        self._interrupt.check()
        return read_result(locust.finished())
