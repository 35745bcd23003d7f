"""Ports: the usual one where it is free, else another one, and who has it."""

import errno
import socket
from dataclasses import dataclass, replace

HOST = "127.0.0.1"


class PortError(ValueError):
    """A port that the user asked for cannot be had."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port to listen on: ``number``, and ``instead_of``, which says why it is not the usual one."""

    number: int
    instead_of: str = ""
    asked_for: bool = False

    @property
    def notice(self) -> str:
        """``port 8000 (app) is busy (python3, pid 123); using 43211``, or nothing where the usual one is free."""
        return f"{self.instead_of}; using {self.number}" if self.instead_of else ""


@dataclass(frozen=True, slots=True)
class Ports:
    """The ports that the demo's processes listen on; None for what is not part of it.

    At ``workers`` Locust's workers find their master.
    """

    app: Port
    metrics: Port
    web: Port | None
    workers: Port | None

    def chosen_anew(self) -> "Ports":
        """Those that were asked for, and others where somebody took one between its choice and its use."""
        given = [port.number if port and port.asked_for else None for port in (self.app, self.metrics, self.web)]
        return choose_ports(*given, web=self.web is not None, workers=self.workers is not None)

    def locust_anew(self) -> "Ports":
        """The same, but for those of Locust's that somebody took between their choice and their use.

        Raises PortError where one of them was asked for.
        """
        chooser = PortChooser()
        return replace(
            self,
            web=self.web and chooser.renewed(self.web, "Locust's web UI", "--web-port"),
            workers=self.workers and chooser.renewed(self.workers, "Locust's workers"),
        )


def choose_ports(app: int | None, metrics: int | None, web_port: int | None, *, web: bool, workers: bool) -> Ports:
    """The ports of a demo: those given, else the usual ones, else free ones. Raises PortError; see ``PortChooser``."""
    chooser = PortChooser()
    return Ports(
        app=chooser.choose("app", 8000, "--app-port", app),
        metrics=chooser.choose("app's metrics", 9101, "--metrics-port", metrics),
        web=chooser.choose("Locust's web UI", 8089, "--web-port", web_port) if web else None,
        workers=chooser.choose("Locust's workers", 5557) if workers else None,
    )


class PortChooser:
    """Chooses ports that differ from each other and that nobody listens on now."""

    def __init__(self) -> None:
        self._taken: dict[int, str] = {}

    def choose(self, purpose: str, usual: int, option: str = "", given: int | None = None) -> Port:
        """``given`` by ``option``, or else the ``usual`` port if it is free, or else any.

        Raises PortError where ``given`` is not free.
        """
        port = self.renewed(Port(given or usual, asked_for=given is not None), purpose, option)
        self._taken[port.number] = option or purpose
        return port

    def renewed(self, port: Port, purpose: str, option: str = "") -> Port:
        """``port`` where it is free, or else any. Raises PortError where it was asked for by ``option``."""
        trouble = self._trouble(port.number)
        if not trouble:
            return port
        if port.asked_for:
            raise PortError(f"{option} {port.number}: the port {trouble}")
        return Port(_any_port(), f"port {port.number} ({purpose}) {trouble}")

    def _trouble(self, number: int) -> str:
        if number in self._taken:
            return f"is the one of {self._taken[number]}"
        try:
            _bind(number).close()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return f"cannot be used: {error.strerror}"
            return f"is busy{_holder(number)}"
        return ""


def _any_port() -> int:
    with _bind(0) as probe:
        return int(probe.getsockname()[1])


def _bind(number: int) -> socket.socket:
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, number))
        probe.listen(1)
    except OSError:
        probe.close()
        raise
    return probe


def _holder(number: int) -> str:
    """`` (NAME, pid 123)`` of the process that listens there, or nothing where the system does not tell."""
    import psutil

    try:
        for each in psutil.net_connections(kind="tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == number and each.pid:
                return f" ({psutil.Process(each.pid).name()}, pid {each.pid})"
    except (psutil.Error, OSError):
        pass
    return ""
