"""A run under way in the process that reports it: its counts so far, its live timeline, and its result."""

import argparse
import copy
import json
import logging
import os
import platform
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from locust.env import Environment

from streamgauge.load.arrivals.arrival_options import SEED
from streamgauge.load.options import result_dir
from streamgauge.load.run.command_line import command_line
from streamgauge.load.run.open_model import OpenModel
from streamgauge.load.run.rule_judge import RuleJudge
from streamgauge.load.run.run_status import causes, run_status
from streamgauge.load.shapes.shape_options import SHAPE
from streamgauge.load.shapes.shape_record import ShapeRecord
from streamgauge.load.shapes.user_shape import shape_of
from streamgauge.load.slo_options import slo_rules, slo_source
from streamgauge.load.unused import unused_options
from streamgauge.load.warm_up_option import WARM_UP
from streamgauge.report.build import build_result, timeline_point
from streamgauge.report.calibration import last_calibration
from streamgauge.report.result import Result, Run, Verdict, write_result
from streamgauge.report.run_command import given_command
from streamgauge.report.tables import write_tables
from streamgauge.report.units import some
from streamgauge.stats.names import MOST_NAMES, OTHER_NAMES
from streamgauge.stats.run_history import RunHistory
from streamgauge.stats.run_part import RunPart
from streamgauge.stats.run_stats import RunStats
from streamgauge.stats.second_report import SecondReport
from streamgauge.stats.visible_text import visible
from streamgauge.verdict.exit_status import ExitStatus
from streamgauge.verdict.slo.judgement import JudgedRule
from streamgauge.verdict.slo.run_figures import RunFigures
from streamgauge.verdict.steady.measured_run import MeasuredRun
from streamgauge.verdict.trust import DEFAULT_BOUNDS, Trust, verdict

logger = logging.getLogger(__name__)

#: Seconds until every process has reported a given second, by whether workers report it.
SETTLED_S = {True: 5, False: 1}
#: Seconds after which options that no stream has used are logged during the run.
WARN_AFTER_S = 5.0

#: Logged once, so it has no number that changes.
_TOO_MANY_NAMES = (
    f"There are more than {MOST_NAMES} names, so the streams of all further names are counted together, as "
    f"{OTHER_NAMES}. Give streams of one kind one name, such as self.client.stream(…, name='/sessions/[id]')."
)
#: User and password in a URL: results are shown to others.
_USER = re.compile(r"(?<=://)[^/?#]*@")


class RunReport:
    """A run under way. ``directory`` is where it writes its files, if the user asked for files."""

    def __init__(self, environment: Environment, *, distributed: bool, open_model: OpenModel | None = None) -> None:
        self.open_model = open_model
        self.run_stats = RunStats()
        self.history = RunHistory(self.run_stats.lines)
        self._warm_up = WARM_UP.value(environment.parsed_options)
        #: The figures that are judged: ``measured_run.part``, those after the warm-up.
        self.measured_run = MeasuredRun(self.run_stats, self._warm_up)
        self.processes: set[str] = set()
        self.began_s = self._counting_since_s = time.monotonic()
        self.started_at = datetime.now(UTC)
        self.run_id = f"{self.started_at:%Y%m%dT%H%M%SZ}-{secrets.token_hex(2)}"
        self.users = 0
        self.interrupted = False
        self._environment = environment
        self._settled_s = SETTLED_S[distributed]
        self._written_before = 0
        self._logged: set[str] = set()
        #: Whether the run is over.
        self.closed = False
        #: The verdict on what has been counted; None once there is more.
        self._so_far: tuple[Trust, list[str]] | None = None
        self._slo_rules = slo_rules(environment.parsed_options)
        self._slo_source = slo_source(environment.parsed_options)
        self._rule_judge = RuleJudge(self._slo_rules)
        if self._slo_rules:
            logger.info("%s, from %s", some(len(self._slo_rules), "SLO rule"), self._slo_source)
        #: What is known from the streams alone, and with Locust's own status, once the report is closed.
        self._verdict: Verdict
        self.final_verdict: Verdict | None = None
        #: The shape that the run follows; None without one.
        self.shape: ShapeRecord | None = getattr(open_model or shape_of(environment), "record", None)
        self.directory: Path | None = None
        if root := result_dir(environment.parsed_options):
            self.directory = Path(root) / self.run_id
            self.directory.mkdir(parents=True)

    def add(self, process: str, parts: list[SecondReport]) -> None:
        """Add the seconds that a process counted; write the timeline up to the last second that is complete."""
        self.processes.add(process)
        self._so_far = None
        self._rule_judge.outdate()
        for part in parts:
            keyed = self.run_stats.add(process, part, DEFAULT_BOUNDS.busy_cpu)
            self.measured_run.add(process, part, DEFAULT_BOUNDS.busy_cpu, keyed)
            self.history.add(part, keyed)
        if self._environment.runner is not None:
            self.users = max(self.users, self._environment.runner.target_user_count)
        if parts:
            self._write_timeline(self.settled_s)
        if time.monotonic() - self.began_s > WARN_AFTER_S:
            self._warn()

    def reset(self) -> None:
        """Reset the counts."""
        self.run_stats = RunStats()
        self.history = RunHistory(self.run_stats.lines)
        self.measured_run = MeasuredRun(self.run_stats, self._warm_up)
        self._so_far = None
        self._rule_judge.outdate(now=True)
        self._counting_since_s = time.monotonic()

    @property
    def settled_s(self) -> int:
        """The number of seconds that every process has reported."""
        return self.run_stats.last_s + 1 - (0 if self.closed else self._settled_s)

    def verdict_so_far(self) -> tuple[Trust, list[str]]:
        """Return the verdict on what has been counted by now."""
        if self._so_far is None:
            self._so_far = verdict(self.measured_run.part)
        return self._so_far

    def slo_so_far(self) -> list[JudgedRule]:
        """Return what the SLO rules say about what has been counted by now; of a closed report, the result's."""
        if self.closed:
            return self._verdict["slo"]
        reported_s = self.began_s + self.run_stats.last_s + 1  # the counts do not reach up to now
        part, counted_s = self.measured_run.part, max(0.0, reported_s - self._counted_from_s)
        part = RunPart() if self.measured_run.warming_up else part
        return self._rule_judge.judged(lambda: RunFigures.of_run(part, counted_s))

    def result_so_far(self) -> Result:
        """Return what the result would be if the run ended now."""
        return build_result(
            self._run(),
            self.run_stats,
            last_calibration(),
            self.history,
            self._slo_rules,
            self.measured_run,
            time.monotonic() - self._counting_since_s,
        )

    def _write_timeline(self, before_s: int) -> None:
        """Append the seconds before ``before_s`` to ``timeline.ndjson``, which remains if the process dies."""
        if self.directory is None or before_s <= self._written_before:
            return
        with (self.directory / "timeline.ndjson").open("a") as file:
            for t_s in range(self._written_before, before_s):
                if second := self.run_stats.seconds.get(t_s):
                    file.write(json.dumps(timeline_point(t_s, second)) + "\n")
        self._written_before = before_s

    def _warn(self) -> list[str]:
        """Return the warnings about the run so far; log each of them once."""
        warnings = unused_options(self._environment.parsed_options, self.run_stats.options_used)
        if self.run_stats.names_left_out:
            warnings.append(_TOO_MANY_NAMES)
        for each in warnings:
            if each not in self._logged:
                self._logged.add(each)
                logger.warning("%s", each)
        return warnings

    def end_load(self) -> None:
        """Note that the users begin to stop."""
        self.measured_run.end_load(time.monotonic() - self.began_s)

    def close(self) -> Result:
        """Build the result, write it where the user asked for files, and return it."""
        self.measured_run.conclude()
        self._so_far = None
        result = self.result_so_far()
        if warnings := self._warn():
            result["run"]["warnings"] = warnings
        if left_out := self.run_stats.names_left_out:
            result["run"]["names_left_out"] = left_out
        self._verdict, self.closed = copy.deepcopy(result["verdict"]), True
        self._join_status(result)
        if self.directory is not None:
            self._write_timeline(self.settled_s)
            write_tables(result, self.directory)
            logger.info("Report: %s", self._write(result, self.directory))
        return result

    def settle(self, result: Result) -> int:
        """Return the exit status of this run, which listeners may have changed since it was closed.

        Also change ``result``, and the files that state it.
        """
        before = result["verdict"]
        self._join_status(result)
        if result["verdict"] != before and self.directory is not None:
            self._write(result, self.directory)
        return result["verdict"]["exit_code"]

    def _join_status(self, result: Result) -> None:
        """Set the exit status of ``result`` to the worse of Locust's own and the streams', and add its causes."""
        verdict, streams = copy.deepcopy(self._verdict), self._verdict["exit_code"]
        judged = bool(self._slo_rules) or (self.measured_run.trimmed and streams == ExitStatus.PASSED)
        verdict["exit_code"] = int(run_status(self._environment, streams_judged=judged).joined(streams))
        verdict["reasons"] = [*causes(self._environment, streams, streams_judged=judged), *verdict["reasons"]]
        result["verdict"] = self.final_verdict = verdict

    @staticmethod
    def _write(result: Result, directory: Path) -> Path:
        """Write the files that state the verdict; return the path of the report."""
        from streamgauge.report.html import write_report  # plotly takes a while to import

        write_result(result, directory)
        return write_report(result, directory)

    @property
    def counted(self) -> bool:
        """Whether any stream was counted."""
        return any(stats.counted for stats in self.run_stats.all_stats.values())

    @property
    def host(self) -> str:
        """The service under test: the run's host, or else the first host of a user class."""
        environment = self._environment
        return visible(environment.host or next((str(user.host) for user in environment.user_classes if user.host), ""))

    @property
    def shown_host(self) -> str:
        """The host without user and password."""
        return _USER.sub("", self.host)

    @property
    def locustfile(self) -> str:
        """The locustfiles, as Locust names them."""
        return visible(self._environment.locustfile or "")

    def _command(self) -> str:
        if command := given_command():
            return visible(command)
        parsed = self._environment.parsed_options
        if parsed is None:  # a program of the user's own, without a command line
            return ""
        locustfile = str(getattr(parsed, "locustfile", "") or self.locustfile)
        known = {} if self.open_model is None else {SEED.dest: str(self.open_model.schedule.seed)}
        parsed = argparse.Namespace(**{**vars(parsed), **known})
        if self.shape is not None:  # the number of users was its peak, not what the defaults came from
            parsed = argparse.Namespace(**{**vars(parsed), SHAPE.dest: self.shape.plan.shape.text})
        return visible(command_line(parsed, users=self.users, host=self.host, locustfile=locustfile))

    @property
    def _counted_from_s(self) -> float:
        """Since when the figures count: the last reset, or the end of the warm-up (monotonic seconds)."""
        left_out_s = self.measured_run.from_s if self.measured_run.trimmed else 0.0
        return max(self._counting_since_s, self.began_s + left_out_s)

    def _run(self) -> Run:
        options, now_s = self._environment.parsed_options, time.monotonic()
        run = Run(
            id=self.run_id,
            started_at=self.started_at.isoformat(timespec="milliseconds"),
            duration_s=now_s - self.began_s,
            counted_s=now_s - self._counted_from_s,
            host=self.shown_host,
            locustfile=self.locustfile,
            users=self.users,
            spawn_rate=float(getattr(options, "spawn_rate", None) or 1),
            workers=max(1, len(self.processes)),
            load_model="open" if self.open_model is not None else "closed",
            interrupted=self.interrupted,
            versions=_versions(),
            command=self._command(),
        )
        if self.open_model is not None:
            part, last_s = self.measured_run.part, self.run_stats.last_s
            run["arrivals"] = self.open_model.summary(part, self._counted_from_s, last_s)
        if self.shape is not None:
            run["users"] = max([self.users, *self.shape.users.values()])
            run["shape"] = self.shape.result(self.run_stats.last_s)
        if self._slo_source:
            run["slo_source"] = self._slo_source
        return run


def _versions() -> dict[str, str]:
    packages = {name: version(name) for name in ("streamgauge", "locust", "gevent")}
    return {**packages, "python": platform.python_version(), "system": f"{sys.platform} {os.uname().release}"}
