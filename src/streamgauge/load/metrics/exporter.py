"""The client metrics of a process that reports runs: their port, what feeds them, and the last scrape of a run.

Workers have none: the master's are theirs, added up.
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
from streamgauge.report.result import Result
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.verdict.trust import verdict

logger = logging.getLogger(__name__)

#: Users and workers are counted this often.
LOOK_S = 1.0
#: The verdict so far is asked for this often, and more rarely where that takes more than this share of the time.
JUDGE_S, JUDGE_SHARE = 5.0, 0.001
#: So many seconds have to be counted, since the start or a reset: of fewer, the busy one in which users start would be
#: a share above the limit.
JUDGE_FROM_S = 15
_TURN_S = 0.05


class ReportedRun(Protocol):
    """A run under way, as far as the exporter reads it."""

    run_id: str
    started_at: datetime
    run_stats: RunStats

    @property
    def host(self) -> str:
        """The service under test."""

    @property
    def locustfile(self) -> str:
        """The scenarios, as Locust names them."""


class Exporter:
    """Keeps what is scraped. The run's own methods are called by whoever reports it, on the event loop.

    ``measuring``: the process drives streams itself.
    """

    def __init__(self, linger_s: float | None = None, *, measuring: bool = True) -> None:
        self._linger_s = linger_s
        self._measuring = measuring
        self._state = State(get_original("threading", "Lock")())  # gevent's own are for the greenlets of one loop
        self._run_report: ReportedRun | None = None
        self._judge_at_s = 0.0
        #: When the last scrape that was sent had been asked for.
        self._scraped_s: float | None = None

    def open(self, host: str, port: int) -> int:
        """Listen; the port, also where 0 was asked for. Raises MetricsPortError."""
        return serve(host, port, self._app)

    def _app(self) -> WsgiApp:
        return page_app(Page(self._state.read, resting=self._measuring), self._on_scraped)

    def _on_scraped(self, asked_s: float) -> None:
        self._scraped_s = asked_s

    def follow(self, users: Callable[[], int], processes: Callable[[], Collection[str]]) -> None:
        """Look at users and processes, and judge the run, for as long as the process lives."""

        def look() -> None:
            while True:
                self._state.look(users(), processes())
                self._judge()
                gevent.sleep(LOOK_S)

        gevent.spawn(look)

    def _judge(self) -> None:
        """The verdict so far, once there is enough to judge. A shorter run has one at its end."""
        run_report, begun_s = self._run_report, time.monotonic()
        if run_report is None or begun_s < self._judge_at_s:
            return
        counted_s = len(run_report.run_stats.seconds)
        if counted_s >= JUDGE_FROM_S and any(stats.chunks for stats in run_report.run_stats.all_stats.values()):
            self._state.judge(verdict(run_report.run_stats)[0])
            now_s = time.monotonic()
            self._judge_at_s = now_s + max(JUDGE_S, (now_s - begun_s) / JUDGE_SHARE)

    def begin(self, run_report: ReportedRun) -> None:
        """A run starts."""
        self._run_report, self._judge_at_s = run_report, 0.0
        scenario = "+".join(Path(name.strip()).stem for name in run_report.locustfile.split(",") if name.strip())
        self._state.begin(
            RunLabels(run_report.run_id, scenario, _address(run_report.host)), run_report.started_at.timestamp()
        )

    def add(self, process: str, parts: Iterable[SecondReport]) -> None:
        """A process counted something."""
        self._state.add(process, parts)

    def end(self, result: Result | None) -> None:
        """The run has ended, with this result; None where there was nothing to report."""
        self._run_report = None
        self._state.end(result)

    def linger(self) -> None:
        """Wait, before the process ends, for the scrape that brings a run's last values, where one may come."""
        longest_s = LINGER_S if self._linger_s is None else self._linger_s
        if (ended := self._state.ended) is None or not longest_s:
            return
        begun_s, ended_s = ended
        if self._scraped_since(ended_s) or (self._linger_s is None and not self._scraped_since(begun_s)):
            return
        logger.info("Waiting for a scrape of the last values, up to %g s; Ctrl-C goes on without", longest_s)
        interrupted = Event()
        watcher = gevent.signal_handler(signal.SIGINT, interrupted.set)
        deadline_s = time.monotonic() + longest_s
        while not (interrupted.is_set() or self._scraped_since(ended_s)):
            if time.monotonic() > deadline_s:
                logger.warning("Nobody scraped the last values in %g s: --metrics-linger waits longer", longest_s)
                break
            interrupted.wait(_TURN_S)
        watcher.cancel()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # as the end of a process has it

    def _scraped_since(self, then_s: float) -> bool:
        return self._scraped_s is not None and self._scraped_s >= then_s


def _address(host: str) -> str:
    """A host's scheme, name and port: what else is in its URL, a password perhaps, is nobody's label."""
    parts = urlsplit(host)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else host.partition("/")[0]


def open_exporter(options: ExporterOptions, *, measuring: bool) -> Exporter | None:
    """An exporter that listens where ``options`` say, in a process that is measuring or has workers for it.

    A default port that cannot be had costs the metrics, and a warning; one that the user set raises MetricsPortError,
    which names the option.
    """
    exporter = Exporter(options.linger_s, measuring=measuring)
    wanted = PORT if options.port is None else options.port
    try:
        port = exporter.open(options.host, wanted)
    except MetricsPortError as error:
        problem = f"--metrics-port: cannot listen on {options.host}:{wanted}: {error}"
        if options.port is not None:
            raise MetricsPortError(problem) from error
        logger.warning("No client metrics: %s. Another port can be named, 0 takes a free one, off none", problem)
        return None
    logger.info(
        "Client metrics at http://%s:%d/metrics", f"[{options.host}]" if ":" in options.host else options.host, port
    )
    return exporter
