"""A quick run from start to end: the locustfile is written, Locust runs it, and the user learns what to try next."""

import os
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamgauge.quick_run.locustfile_text import Load, locustfile_text
from streamgauge.quick_run.next_step import Asked, next_step
from streamgauge.quick_run.python_text import words_of
from streamgauge.quick_run.repeated_command import repeated, shown
from streamgauge.quick_run.stream_request import Session
from streamgauge.report.live_display import Display
from streamgauge.report.result import read_result
from streamgauge.report.run_command import COMMAND_VARIABLE
from streamgauge.report.terminal import print_marked, standard_output, styled
from streamgauge.report.units import some
from streamgauge.runner.attended_run import AttendedRun, attend
from streamgauge.runner.conclusion import Conclusion, short
from streamgauge.runner.interrupt import Interrupt
from streamgauge.runner.load_plan import LoadPlan, environment_without_locust
from streamgauge.runner.locust_ports import LocustPorts
from streamgauge.runner.ports import HOST
from streamgauge.runner.process import ChildError, Children
from streamgauge.verdict.exit_status import ExitStatus

_UNTIL = "Ctrl-C"
#: How Locust begins the line that says which option is wrong.
_ERROR = "error: "
_ARGUMENT = re.compile(r"^argument (--[\w-]+)(?:/--?[\w-]+)*:")
#: Streamgauge's options of Locust that have another name here.
_NAMES = {"--stream-arrivals": "--rate"}
#: The options that lead connections elsewhere than the URL says.
_WAYS = {
    "stream_proxy": "--proxy",
    "stream_connect_to": "--connect-to",
    "stream_resolve": "--resolve",
    "stream_unix_socket": "--unix-socket",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """A quick run as its options describe it."""

    session: Session
    load: Load
    processes: int
    ports: LocustPorts
    result_dir: Path
    save: Path | None
    words: tuple[str, ...]
    """The words of the command after ``streamgauge run``, without those of a curl command."""
    curl_words: tuple[str, ...]
    """The curl command at its end, which begins with ``curl``; none if the request comes from elsewhere."""

    def locust(self, locustfile: Path) -> LoadPlan:
        """Make the plan of the Locust run."""
        return LoadPlan(
            locustfile=locustfile,
            host=self.session.requests[0].origin,
            users=self.load.users,
            spawn_rate=self.load.spawn_rate,
            run_time_s=self.load.run_time_s,
            result_dir=self.result_dir,
            log=self.result_dir / f"run-{os.getpid()}-locust.log",
            environment=environment_without_locust(self._variables()),
            options=("--metrics-host", HOST),
            processes=self.processes,
            shaped="stream_shape" in self.load.options,
        )

    def _variables(self) -> dict[str, str]:
        """Return what the result shows as the command of the run; a run of the web UI has a command of its own."""
        if self.ports.web is not None:
            return {}
        return {COMMAND_VARIABLE: shown(self.words, self.curl_words, secret=self.secret)}

    @property
    def kept(self) -> Path | None:
        """Where the locustfile stays; none if it lasts as long as the run.

        The result of a run of the web UI names the locustfile, so it stays beside the results, unless it opens doors.
        """
        if self.save is not None or self.ports.web is None or self.credentials:
            return self.save
        return self.result_dir / f"{self.file_name}_{os.getpid()}.py"

    @property
    def file_name(self) -> str:
        """How the locustfile is named, without what makes it unique."""
        return "_".join(["run", *words_of(self.session.requests[0].path.partition("?")[0])])

    def repeated(self, options: Mapping[str, str]) -> str:
        """Return the user's command with ``options``."""
        return repeated(self.words, self.curl_words, options, secret=self.secret)

    @property
    def secret(self) -> bool:
        """Whether words of the command open doors. Those of a recorded session are in its file."""
        headers = any(word.startswith(("-H", "--header")) for word in (*self.words, *self.curl_words))
        return bool(self._proxy_password or (self.session.credentials and (headers or not self.session.recorded)))

    @property
    def credentials(self) -> tuple[str, ...]:
        """The names of all that opens doors in the locustfile."""
        return (*self.session.credentials, *self._proxy_password)

    @property
    def _proxy_password(self) -> tuple[str, ...]:
        return ("the proxy's password",) if "@" in str(self.load.options.get("stream_proxy", "")) else ()

    @property
    def asked(self) -> Asked:
        """What the user asked for, as far as the next step depends on it."""
        first, options = self.session.requests[0], self.load.options
        return Asked(
            host=first.origin.rpartition("@")[2] if "@" in first.origin else first.origin,
            reached_by=tuple(name for dest, name in _WAYS.items() if options.get(dest)),
            users=self.load.users,
            run_time_s=self.load.run_time_s,
            processes=self.processes,
            cores=os.cpu_count() or 1,
            rules="stream_slo" in options,
            rate=str(options.get("stream_arrivals", "")),
            shape="stream_shape" in options,
            recorded=self.session.recorded,
            saved=self.save is not None,
            body=bool(first.body),
        )


def run_quick(plan: Plan, interrupt: Interrupt, *, quiet: bool) -> int:
    """Do the quick run and return its exit status."""
    display = Display(quiet=quiet)

    def work(children: Children) -> int:
        with _locustfile(plan) as locustfile:
            return _QuickRun(plan, locustfile, display, interrupt, children, quiet=quiet).run()

    return attend("run", display, interrupt, work)


@contextmanager
def _locustfile(plan: Plan) -> Iterator[Path]:
    """Write the locustfile, to where it stays or to where it lasts as long as the run."""
    text = locustfile_text(plan.session, plan.load)
    if plan.kept is not None:
        yield _written(plan.kept, text)
        return
    with tempfile.TemporaryDirectory(prefix="streamgauge-") as place:
        yield _written(Path(place) / f"{plan.file_name}.py", text)


def _written(path: Path, text: str) -> Path:
    """Write a file that only its user can read, since it may hold what opens doors. Never replace a file."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path.absolute()


class _QuickRun:
    def __init__(
        self,
        plan: Plan,
        locustfile: Path,
        display: Display,
        interrupt: Interrupt,
        children: Children,
        *,
        quiet: bool,
    ) -> None:
        self._plan, self._display, self._interrupt, self._quiet = plan, display, interrupt, quiet
        self._run = AttendedRun(plan.locust(locustfile), plan.ports, display, interrupt, children)

    def run(self) -> int:
        self._introduce()
        try:
            self._run.start(_UNTIL)
        except ChildError as error:
            return self._refused(error)
        directory = self._run.follow(lambda: False)
        early = self._interrupt.requested
        conclusion = Conclusion(None, self._display)
        status = conclusion.conclude(directory)
        if early:
            return ExitStatus.INTERRUPTED
        self._advise(directory)
        if self._plan.ports.web is not None:
            self._stay_open(conclusion)
            if self._interrupt.requested:
                return status
        return self._run.status(status)

    def _introduce(self) -> None:
        plan = self._plan
        for note in (*plan.session.notes, *plan.ports.notices):
            self._display.say(f"Note: {note}")
        names = " and ".join(plan.credentials)
        if plan.kept is not None:
            self._display.say(f"Wrote {short(plan.kept.absolute())}")
            if names:
                self._display.say(f"Note: {plan.kept} holds {names}; keep it private.")
        elif plan.ports.web is not None:
            self._display.say(
                f"Note: the locustfile holds {names}, so it goes when this ends; keep it with --save FILE.py, or the "
                "commands that the results of further runs name have none."
            )
        first = plan.session.requests[0]
        what = f"{some(len(plan.session.requests), 'recorded stream')} each" if plan.session.recorded else first.path
        self._display.say(f"Starting Locust: {plan.load} on {plan.asked.host}, {what}")

    def _refused(self, error: ChildError) -> int:
        """Say which option Locust refused; raise any other error."""
        if error.child is None or error.child.end() != ExitStatus.USAGE or _ERROR not in error.last_output:
            raise error
        words = _ARGUMENT.sub(r"\1:", error.last_output.rpartition(_ERROR)[2])
        for name, ours in _NAMES.items():
            words = words.replace(name, ours)
        self._display.warn(f"Error: {words.replace('--stream-', '--')}")
        if (kept := self._plan.kept) is not None:
            kept.unlink(missing_ok=True)
            self._display.say(f"Removed {short(kept.absolute())} again")
        error.child.log.unlink(missing_ok=True)
        return ExitStatus.USAGE

    def _advise(self, directory: Path) -> None:
        """Print what to try next."""
        if self._quiet:
            return
        step = next_step(read_result(directory), self._plan.asked)
        console = standard_output()
        console.print()
        print_marked(console, [("→", styled(step.words))])
        if step.options:
            command = self._plan.repeated(step.options)
            console.print(f"  {command}", soft_wrap=True, markup=False, style="bold")

    def _stay_open(self, conclusion: Conclusion) -> None:
        self._display.say("")
        self._display.say(f"Locust's web UI stays open at {self._run.web_url}; start further runs there.")
        self._display.say(
            f"The verdict of each run is printed here; its files are in {short(self._plan.result_dir)}. "
            "Press Ctrl-C to end."
        )
        self._run.stay_open(conclusion)
