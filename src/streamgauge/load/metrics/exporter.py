"""The client metrics of a process that reports runs: their port, their source, and the last scrape of a run.

A worker has no metrics of its own; the master adds them up.
"""

import logging
import signal
import time
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import gevent
from gevent.event import Event
from gevent.monkey import get_original

from streamgauge.exporter.page import Page, WsgiApp, page_app
from streamgauge.exporter.readings import RunLabels
from streamgauge.exporter.state import State
from streamgauge.load.metrics.exporter_options import LINGER_S, PORT, ExporterOptions
from streamgauge.load.metrics.exporter_server import MetricsPortError, serve
from streamgauge.load.shapes.shape_options import Unit
from streamgauge.load.shapes.shape_record import ShapeRecord
from streamgauge.report.result import Result
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.verdict.slo.judgement import JudgedRule
from streamgauge.verdict.steady.measured_run import MeasuredRun
from streamgauge.verdict.trust import verdict

logger = logging.getLogger(__name__)

#: Interval at which users and workers are counted.
LOOK_S = 1.0
#: Interval between interim verdicts; longer where they would take more than this share of the time.
JUDGE_S, JUDGE_SHARE = 5.0, 0.001
#: Counted seconds before the first interim verdict: among fewer, the busy second in which users start would exceed the
#: limit by itself.
JUDGE_FROM_S = 15
_TURN_S = 0.05


class ReportedRun(Protocol):
    """A run under way, as far as the exporter reads it."""

    run_id: str
    started_at: datetime
    run_stats: RunStats
    measured_run: MeasuredRun
    began_s: float
    shape: ShapeRecord | None

    def slo_so_far(self) -> list[JudgedRule]:
        """What the SLO rules say so far; empty without rules."""

    @property
    def host(self) -> str:
        """The service under test."""

    @property
    def locustfile(self) -> str:
        """The scenarios, as Locust names them."""


class Exporter:
    """Keeps what Prometheus scrapes.

    The process that reports the run calls ``begin``, ``add`` and ``end`` on the event loop.

    ``measuring``: this process drives streams itself.
    """

    def __init__(self, linger_s: float | None = None, *, measuring: bool = True) -> None:
        self._linger_s = linger_s
        self._measuring = measuring
        self._state = State(get_original("threading", "Lock")())  # gevent's own are for the greenlets of one loop
        self._run_report: ReportedRun | None = None
        self._judge_at_s = 0.0
        #: When Prometheus asked for the last scrape that was answered.
        self._scraped_s: float | None = None

    def open(self, host: str, port: int) -> int:
        """Listen, and return the port, which 0 lets the system choose. Raises MetricsPortError."""
        return serve(host, port, self._app)

    def _app(self) -> WsgiApp:
        return page_app(Page(self._state.read, resting=self._measuring), self._on_scraped)

    def _on_scraped(self, asked_s: float) -> None:
        self._scraped_s = asked_s

    def follow(self, users: Callable[[], int], processes: Callable[[], Collection[str]]) -> None:
        """Count users and processes, and judge the run, for as long as the process lives."""

        def look() -> None:
            while True:
                self._state.look(users(), processes())
                self._state.want(*self._wanted())
                self._judge()
                gevent.sleep(LOOK_S)

        gevent.spawn(look)

    def _wanted(self) -> tuple[Unit | None, float | None]:
        """Return what the shape of the run wants now; None without a shape, and after its end."""
        shape = None if self._run_report is None else self._run_report.shape
        if shape is None or self._run_report is None:
            return None, None
        return shape.plan.unit, shape.wanted_now(time.monotonic() - self._run_report.began_s)

    def _judge(self) -> None:
        """Update the interim verdict once enough seconds are counted. A shorter run gets its verdict at the end."""
        run_report, begun_s = self._run_report, time.monotonic()
        if run_report is not None:
            self._state.judge_rules(run_report.slo_so_far())
        if run_report is None or begun_s < self._judge_at_s:
            return
        counted_s = len(run_report.run_stats.seconds)
        if counted_s >= JUDGE_FROM_S and any(stats.chunks for stats in run_report.run_stats.all_stats.values()):
            self._state.judge(verdict(run_report.measured_run.part)[0])
            now_s = time.monotonic()
            self._judge_at_s = now_s + max(JUDGE_S, (now_s - begun_s) / JUDGE_SHARE)

    def begin(self, run_report: ReportedRun) -> None:
        """Start a run."""
        self._run_report, self._judge_at_s = run_report, 0.0
        scenario = "+".join(Path(name.strip()).stem for name in run_report.locustfile.split(",") if name.strip())
        self._state.begin(
            RunLabels(run_report.run_id, scenario, _address(run_report.host)), run_report.started_at.timestamp()
        )

    def add(self, process: str, parts: Iterable[SecondReport]) -> None:
        """Add the seconds that a process counted."""
        self._state.add(process, parts)

    def end(self, result: Result | None) -> None:
        """End the run with its result, or None if there was nothing to report."""
        self._run_report = None
        self._state.end(result)

    def linger(self) -> None:
        """Wait for a scrape of the run's last values before the process ends, where a scrape is likely."""
        longest_s = LINGER_S if self._linger_s is None else self._linger_s
        if (ended := self._state.ended) is None or not longest_s:
            return
        begun_s, ended_s = ended
        if self._scraped_since(ended_s) or (self._linger_s is None and not self._scraped_since(begun_s)):
            return
        logger.info("Waiting up to %g s for a scrape of the final values; press Ctrl-C to skip", longest_s)
        interrupted = Event()
        watcher = gevent.signal_handler(signal.SIGINT, interrupted.set)
        deadline_s = time.monotonic() + longest_s
        while not (interrupted.is_set() or self._scraped_since(ended_s)):
            if time.monotonic() > deadline_s:
                logger.warning("The final values were not scraped within %g s; raise --metrics-linger", longest_s)
                break
            interrupted.wait(_TURN_S)
        watcher.cancel()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as at the end of every process

    def _scraped_since(self, then_s: float) -> bool:
        return self._scraped_s is not None and self._scraped_s >= then_s


def _address(host: str) -> str:
    """Return a host's scheme, name and port, without user and password."""
    parts = urlsplit(host)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else host.partition("/")[0]


def open_exporter(options: ExporterOptions, *, measuring: bool) -> Exporter | None:
    """Return an exporter that listens where ``options`` say.

    If the default port is not free, log a warning and return None. If a port that the user set is not free, raise
    MetricsPortError, which names the option.
    """
    exporter = Exporter(options.linger_s, measuring=measuring)
    wanted = PORT if options.port is None else options.port
    try:
        port = exporter.open(options.host, wanted)
    except MetricsPortError as error:
        problem = f"--metrics-port: cannot listen on {options.host}:{wanted}: {error}"
        if options.port is not None:
            raise MetricsPortError(problem) from error
        logger.warning("No client metrics: %s. Set --metrics-port to another port, 0 (any free port) or off", problem)
        return None
    logger.info(
        "Client metrics at http://%s:%d/metrics", f"[{options.host}]" if ":" in options.host else options.host, port
    )
    return exporter
