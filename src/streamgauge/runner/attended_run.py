"""A Locust run that a user attends: it shows the progress and the verdict, and can leave the web UI open."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from streamgauge.report.live_display import Display
from streamgauge.runner.conclusion import Conclusion
from streamgauge.runner.interrupt import Interrupt, Interrupted, Killed
from streamgauge.runner.load_plan import LoadPlan
from streamgauge.runner.locust_ports import LocustPorts
from streamgauge.runner.locust_run import LocustRun
from streamgauge.runner.ports import HOST, Port, PortError
from streamgauge.runner.process import ChildError, Children
from streamgauge.verdict.exit_status import ExitStatus

_POLL_S = 0.1


def attend(
    command: str, display: Display, interrupt: Interrupt, work: Callable[[Children], int], last_line: str = ""
) -> int:
    """Do the ``work`` of ``streamgauge COMMAND``, say the last line, and return the exit status.

    Every problem becomes a message.
    """
    try:
        with Children() as children:
            status = work(children)
        if last_line:
            display.say(last_line)
        return status
    except Interrupted:
        display.warn("Interrupted before any stream ended, so there is nothing to report.")
    except Killed:
        display.warn("Killed. All data that Locust had not written yet are lost.")
    except ChildError as error:
        display.warn(f"streamgauge {command}: {error}", _last_output(error))
        return ExitStatus.INTERRUPTED if interrupt.requested else ExitStatus.FAILED
    except BrokenPipeError:
        raise  # the reader of standard output is gone: click ends quietly
    except OSError as error:
        display.warn(f"streamgauge {command}: {error}")
        return ExitStatus.FAILED
    finally:
        display.close()
    return ExitStatus.INTERRUPTED


def _last_output(error: ChildError) -> str:
    return f"{error.last_output}\n({error.child.log})" if error.child else ""


def with_ports(plan: LoadPlan, ports: LocustPorts) -> LoadPlan:
    """Return the plan of a Locust that listens on these ports."""
    return replace(plan, web_port=_number(ports.web), workers_port=_number(ports.workers))


class AttendedRun:
    """Locust with the ports that it needs. ``locust`` is set once ``start`` has returned."""

    locust: LocustRun

    def __init__(
        self, plan: LoadPlan, ports: LocustPorts, display: Display, interrupt: Interrupt, children: Children
    ) -> None:
        self._plan, self._ports = plan, ports
        self._display, self._interrupt, self._children = display, interrupt, children

    @property
    def web_url(self) -> str:
        """The address of Locust's web UI; empty if it has none."""
        return f"http://{HOST}:{self._ports.web.number}" if self._ports.web else ""

    def start(self, until: str) -> None:
        """Start Locust, and show the address of its web UI, which stays ``until`` then. Raises ChildError, Interrupted.

        If another process took a port since it was chosen, start Locust once more on another port.
        """
        try:
            self._start()
        except ChildError as error:
            self._choose_again(error)
            self._start()
        if self.web_url:
            self._display.show_addresses({"Locust's web UI": self.web_url}, until)

    def _start(self) -> None:
        plan = with_ports(self._plan, self._ports)
        self.locust = LocustRun(plan, self._children, self._interrupt)
        self.locust.start()

    def _choose_again(self, error: ChildError) -> None:
        """Replace the ports that were taken; raise ``error`` if none was."""
        before = self._ports
        try:
            self._ports = before.chosen_again()
        except PortError as taken:
            raise ChildError(str(taken), error.child) from None
        if self._ports == before:
            raise error
        for notice in self._ports.notices:
            if notice not in before.notices:
                self._display.warn(notice)

    def follow(self, must_end: Callable[[], bool]) -> Path:
        """Show the progress until the run ends, and return its directory, which holds the result.

        ``must_end`` says whether the run has to end early; so has the user's interrupt. Raises as LocustRun.finished.
        """
        self.locust.follow(self._display, lambda: self._interrupted() or must_end())
        self._display.close()
        self._display.say("")
        return self.locust.finished()

    def _interrupted(self) -> bool:
        if self._interrupt.requested:
            self._display.say(
                "Ending. Streams under way have up to 15 s to end; press Ctrl-C again to kill everything."
            )
        return self._interrupt.requested

    def stay_open(self, conclusion: Conclusion) -> None:
        """Keep the web UI open until Ctrl-C, and conclude the runs that the user starts there."""
        while not self._interrupt.requested and self.locust.child.running:
            for run in self.locust.later_runs():
                conclusion.conclude(run)
            time.sleep(_POLL_S)
        self._display.say("Ending")
        self.locust.end()
        for run in self.locust.later_runs():
            conclusion.conclude(run)

    def status(self, status: int) -> int:
        """Return the run's exit status, or failure if only Locust itself failed."""
        own = self.locust.end()
        if status == ExitStatus.PASSED and own != ExitStatus.PASSED:
            child = self.locust.child
            self._display.warn(f"Locust ended with status {own}:", f"{child.tail()}\n({child.log})")
            return ExitStatus.FAILED
        return status


def _number(port: Port | None) -> int | None:
    return port.number if port else None
