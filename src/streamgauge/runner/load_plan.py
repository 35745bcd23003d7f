"""The plan of a Locust run: its command line and its environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from streamgauge.runner.ports import HOST
from streamgauge.runner.process import python_module


def locust_command(locustfile: str | Path, *options: object) -> list[str]:
    """Make the command that starts Locust on ``locustfile``."""
    return python_module("locust", "-f", locustfile, *options)


def environment_without_locust(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Copy this process's environment without Locust's variables, for a run that depends only on its command."""
    return {key: value for key, value in os.environ.items() if not key.startswith("LOCUST_")} | dict(extra or {})


@dataclass(frozen=True, slots=True)
class LoadPlan:
    """A planned run: users, length, host. With ``web_port``, Locust starts its web UI there."""

    locustfile: Path
    host: str
    users: int
    spawn_rate: float
    run_time_s: int
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

    @property
    def command(self) -> list[str]:
        """Locust's command line."""
        return locust_command(
            self.locustfile,
            *("-H", self.host),
            *("-u", self.users),
            *("-r", f"{self.spawn_rate:g}"),
            *("-t", f"{self.run_time_s}s"),
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
        """The run as the fields of the form in Locust's web UI."""
        return [
            ("user_count", str(self.users)),
            ("spawn_rate", f"{self.spawn_rate:g}"),
            ("run_time", f"{self.run_time_s}s"),
        ]
