"""The plan of a Locust run: its command line and its environment."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streamgauge.runner.ports import HOST
from streamgauge.runner.process import python_module

#: Locust comes first: it replaces modules of Python's that streamgauge uses.
_ALONE = "import locust; from streamgauge.load.command_alone import run_alone; run_alone()"


def locust_command(locustfile: str | Path, *options: object) -> list[str]:
    """Make the command that starts Locust on ``locustfile``."""
    return python_module("locust", "-f", locustfile, *options)


def environment_without_locust(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy this process's environment without Locust's variables, for a run that depends only on its command."""
    return {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")} | dict(extra or {})


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A planned run: users, length, host. With ``web_port``, Locust starts its web UI there.

    Users, spawn rate and length are None if other options of the run say them: a rate of arrivals, or a shape.
    """

    locustfile: Path
    host: str
    users: int | None
    spawn_rate: float | None
    run_time_s: int | None
    result_dir: Path
    log: Path
    """The file for Locust's output until the run has a directory."""
    environment: Mapping[str, str]
    options: tuple[str, ...] = ()
    """Further options of Locust and streamgauge."""
    processes: int = 1
    workers_port: int | None = None
    """The port of the master, if several processes share the users."""
    web_port: int | None = None
    shaped: bool = False
    """Whether a shape says how many users there are, so that ``users`` is only what its defaults come from."""

    @property
    def command(self) -> list[str]:
        """Locust's command line, without the files from which Locust itself takes options."""
        return [sys.executable, "-P", "-c", _ALONE, *map(str, self._options())]

    def _options(self) -> tuple[object, ...]:
        return (
            *("-f", self.locustfile),
            *("-H", self.host),
            *(("-u", self.users) if self.users is not None else ()),
            *(("-r", f"{self.spawn_rate:g}") if self.spawn_rate is not None else ()),
            *(("-t", f"{self.run_time_s}s") if self.run_time_s is not None else ()),
            *("--stream-result-dir", self.result_dir),
            *self._interface(),
            *self._processes(),
            *self.options,
        )

    def _interface(self) -> tuple[object, ...]:
        if self.web_port is None:
            return ("--headless", "--only-summary")
        return ("--web-host", HOST, "--web-port", self.web_port)

    def _processes(self) -> tuple[object, ...]:
        if self.workers_port is None:
            return ()
        port = self.workers_port
        master = ("--master-bind-host", HOST, "--master-bind-port", port, "--master-host", HOST, "--master-port", port)
        return ("--processes", self.processes, *master)

    @property
    def form(self) -> list[tuple[str, str]]:
        """The run as the fields of the form in Locust's web UI, which always have users and a spawn rate."""
        return [
            ("user_count", str(1 if self.users is None else self.users)),
            ("spawn_rate", "1" if self.spawn_rate is None else f"{self.spawn_rate:g}"),
            ("run_time", "" if self.run_time_s is None else f"{self.run_time_s}s"),
        ]
