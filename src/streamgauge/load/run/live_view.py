"""Shows a headless run while it lasts: live on a terminal, as a line every few seconds elsewhere.

It takes the place of the table that Locust prints every two seconds, which has the durations of streams only. A user
who asks for that table gets it instead; so does a run with users that do not stream.
"""

import time
from typing import Any

import gevent
from locust.env import Environment
from locust.runners import STATE_CLEANUP, STATE_SPAWNING, STATE_STOPPING

from streamgauge.load.run.run_report import RunReport
from streamgauge.load.users import stream_users
from streamgauge.report import slo_text
from streamgauge.report.build import timeline_point
from streamgauge.report.live_display import Display, Progress

#: Without a terminal, a line is printed this often.
LINE_EVERY_S = 10.0
_REFRESH_S = 0.5
_ENDING = (STATE_STOPPING, STATE_CLEANUP)
_PHASES = {STATE_SPAWNING: "starting users", **dict.fromkeys(_ENDING, "ending streams")}


def live_view(environment: Environment) -> "LiveView | None":
    """Return the view of a headless run, and keep Locust's table away; None for a run that has no view."""
    options = environment.parsed_options
    if options is None or not options.headless or options.only_summary or options.print_stats:
        return None
    if not environment.user_classes or len(stream_users(environment)) < len(environment.user_classes):
        return None
    options.only_summary = True
    return LiveView(environment)


class LiveView:
    """The view of one process's runs, on standard error."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._display = Display(quiet=False, line_every_s=LINE_EVERY_S)
        self._greenlet: gevent.Greenlet | None = None

    def begin(self, run_report: RunReport) -> None:
        """Show a run from now on."""
        self._greenlet = gevent.spawn(self._follow, run_report)

    def end(self) -> None:
        """Remove the view."""
        if self._greenlet is not None:
            self._greenlet.kill()
            self._greenlet = None
        self._display.close()

    def _follow(self, run_report: RunReport) -> None:
        while True:
            self._display.show(self._progress(run_report))
            gevent.sleep(_REFRESH_S)

    def _progress(self, run_report: RunReport) -> Progress:
        runner, options = self._environment.runner, self._environment.parsed_options
        state = runner.state if runner is not None else ""
        every = run_report.run_stats.all_stats.values()
        last_s = run_report.settled_s - 1
        second = run_report.run_stats.seconds.get(last_s)
        elapsed_s = time.monotonic() - run_report.began_s
        users = runner.user_count if runner is not None else 0
        phase, shape = _PHASES.get(state, "running"), run_report.shape
        if shape is not None and state not in _ENDING:
            phase = shape.words(elapsed_s, users)
        warming_up = run_report.measured_run.warming_up
        if warming_up:
            phase = "warming up" if phase == "running" else f"{phase}, warming up"
        trust, _ = run_report.verdict_so_far()
        measured = any(stats.chunks for stats in every) and not warming_up
        rules = run_report.slo_so_far()
        return Progress(
            phase=f"{phase}, {trust} so far" if measured else phase,
            elapsed_s=elapsed_s,
            run_time_s=_end_s(run_report, options),
            users=users,
            finished=sum(stats.finished for stats in every),
            failed=sum(stats.failed for stats in every),
            latest=timeline_point(last_s, second) if second is not None else None,
            rules=slo_text.so_far(rules),
            failing=tuple(slo_text.failing(rules)),
        )


def _end_s(run_report: RunReport, options: Any) -> float | None:
    """Return when the run ends: with its shape, or at its run time."""
    if run_report.shape is not None:
        return run_report.shape.plan.end_s
    return float(options.run_time) if options is not None and options.run_time else None
