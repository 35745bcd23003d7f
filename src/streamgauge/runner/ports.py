"""Choose ports: the usual port if it is free, else another one; name the process that uses a busy port."""

import errno
import random
import socket
from contextlib import suppress
from dataclasses import dataclass

HOST = "127.0.0.1"
#: Ports that no system gives to outgoing connections, one of which could take a port before it is listened on.
_OTHERS, _TRIES = range(15_000, 32_000), 200


class PortError(ValueError):
    """Raised if a port that the user gave cannot be used."""


@dataclass(frozen=True, slots=True)
class Port:
    """A port to listen on: ``number``, and ``instead_of``, the reason if it is not the usual port."""

    number: int
    instead_of: str = ""
    asked_for: bool = False

    @property
    def notice(self) -> str:
        """``port 8000 (app) is busy (python3, pid 123); using 43211``, or nothing if it is the usual port."""
        return f"{self.instead_of}; using {self.number}" if self.instead_of else ""


class PortChooser:
    """Chooses ports that differ from each other and that are free now."""

    def __init__(self) -> None:
        self._taken: dict[int, str] = {}

    def choose(self, purpose: str, usual: int, option: str = "", given: int | None = None) -> Port:
        """Return the port that ``option`` has ``given``, else the ``usual`` port if it is free, else any free port.

        Raises PortError if ``given`` is not free.
        """
        port = self.checked(Port(given or usual, asked_for=given is not None), purpose, option)
        self._taken[port.number] = option or purpose
        return port

    def checked(self, port: Port, purpose: str, option: str = "") -> Port:
        """Return ``port`` if it is free, else any free port. Raises PortError if ``option`` gave ``port``."""
        trouble = self._trouble(port.number)
        if not trouble:
            return port
        if port.asked_for:
            raise PortError(f"{option} {port.number}: the port {trouble}")
        return Port(self._any_port(), f"port {port.number} ({purpose}) {trouble}")

    def _trouble(self, number: int) -> str:
        if number in self._taken:
            return f"is already used for {self._taken[number]}"
        try:
            _bind(number).close()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                return f"cannot be used: {error.strerror}"
            return f"is busy{_holder(number)}"
        return ""

    def _any_port(self) -> int:
        """Return a free port, another one for each process that asks."""
        for number in random.Random().sample(_OTHERS, _TRIES):
            if number not in self._taken:
                with suppress(OSError), _bind(number):
                    return number
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
    """Return `` (NAME, pid 123)`` of the process that listens there, or nothing if the system does not show it."""
    import psutil

    try:
        for each in psutil.net_connections(kind="tcp"):
            if each.status == psutil.CONN_LISTEN and each.laddr and each.laddr.port == number and each.pid:
                return f" ({psutil.Process(each.pid).name()}, pid {each.pid})"
    except (psutil.Error, OSError):
        pass
    return ""
