"""Lists the clients of the comparison: how each is started, and which packages it needs."""

import importlib.util
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal

from streamgauge.runner.load_plan import locust_command
from streamgauge.runner.process import python_module

Group = Literal["floor", "engine", "locust", "other"]
_CLIENTS = "benchmarks/engine/clients/"


@dataclass(frozen=True, slots=True)
class Client:
    """One reader of streams."""

    name: str
    title: str
    group: Group
    command: tuple[str, ...]
    """``{streams}`` is replaced by the number of streams, ``{results}`` by a directory for results."""
    variables: Mapping[str, str] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    times_events: bool = True
    """Whether it writes the arrival of each event."""

    @property
    def missing(self) -> str:
        """Say what is not installed; empty if the client can run."""
        if self.command[0] == "k6":
            return _missing_k6()
        absent = [name for name in self.packages if importlib.util.find_spec(name) is None]
        return f"{' and '.join(absent)} not installed" if absent else ""


@cache
def _missing_k6() -> str:
    if shutil.which("k6") is None:
        return "k6 not installed"
    said = subprocess.run(["k6", "version"], capture_output=True, text=True, check=False, timeout=30).stdout
    return "" if "xk6-sse" in said else "k6 is installed without xk6-sse"


def _locust(file: str, *options: str) -> tuple[str, ...]:
    users = ("--headless", "--only-summary", "-u", "{streams}", "-r", "{streams}")
    return tuple(locust_command(_CLIENTS + file, *users, *options))


def _python(module: str, *options: str) -> tuple[str, ...]:
    return tuple(python_module(f"benchmarks.engine.clients.{module}", *options))


def _reader(file: str, reader: str) -> dict[str, Any]:
    return {"group": "locust", "command": _locust(file), "variables": {"READER": reader}}


_HTTP, _FAST = "locust_http.py", "locust_fast_http.py"
_FLOOR: dict[str, Any] = {"group": "floor", "times_events": False}
_ALL = (
    Client("floor", "floor: epoll + recvmsg, with stamps", command=_python("floor", "--stamps"), **_FLOOR),
    Client("floor-plain", "floor without stamps", command=_python("floor"), **_FLOOR),
    Client("streamgauge", "streamgauge", "engine", _locust("streamgauge_user.py", "--result-dir", "{results}")),
    Client("http-lines", "Locust HttpUser, iter_lines", **_reader(_HTTP, "lines")),
    Client("http-content", "Locust HttpUser, iter_content", **_reader(_HTTP, "content")),
    Client("fast-events", "Locust FastHttpUser, readline", **_reader(_FAST, "events")),
    Client("fast-pieces", "Locust FastHttpUser, recv + feed", **_reader(_FAST, "pieces")),
    Client("aiohttp", "aiohttp, iter_any", "other", _python("aiohttp_reader"), packages=("aiohttp",)),
    Client(
        "aiohttp-uvloop",
        "aiohttp, iter_any, uvloop",
        "other",
        _python("aiohttp_reader", "--uvloop"),
        packages=("aiohttp", "uvloop"),
    ),
    Client("httpx", "httpx, aiter_lines", "other", _python("httpx_lines"), packages=("httpx",)),
    Client("k6", "k6 with xk6-sse", "other", ("k6", "run", "--quiet", _CLIENTS + "k6_sse.js"), times_events=False),
)
CLIENTS = {client.name: client for client in _ALL}
FLOOR, ENGINE = "floor", "streamgauge"
