"""The options that lead connections elsewhere than the URL says: ``--connect-to``, ``--resolve``, ``--unix-socket``."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

from streamgauge.client.connect.overrides import Overrides, read_connect_to, read_resolved, read_socket_path
from streamgauge.client.connect.target import target_of
from streamgauge.load.option import Lines, Option

_LINE_BREAK = re.compile(r"\r\n|\r|\n")
_Rule = TypeVar("_Rule")


def _each_line(read: Callable[[str], _Rule]) -> Callable[[str], tuple[_Rule, ...]]:
    return lambda text: tuple(read(line) for line in _LINE_BREAK.split(text) if line.strip())


CONNECT_TO = Option(
    "--stream-connect-to",
    "HOST:PORT",
    _each_line(read_connect_to),
    "Connect there whatever the URL says, or only instead of HOST1:PORT1 (HOST1:PORT1:HOST2:PORT2); the Host header, "
    "SNI and the name in the certificate stay the URL's; repeat the option for several",
    Lines,
)
RESOLVE = Option(
    "--stream-resolve",
    "HOST:PORT:ADDRESS",
    _each_line(read_resolved),
    "Use this address for a host and port instead of the resolver's; the host * is any; repeat the option for several",
    Lines,
)
UNIX_SOCKET = Option(
    "--stream-unix-socket",
    "PATH",
    read_socket_path,
    "Connect to this Unix socket whatever the URL says",
)


def overrides_of(parsed: Any, *, proxy: str | None, server_name: str) -> Overrides:
    """Read the options. Raises ValueError, which names options that contradict each other."""
    found = Overrides(CONNECT_TO.value(parsed, ()), RESOLVE.value(parsed, ()), UNIX_SOCKET.value(parsed, ""))
    given = [
        option.flag
        for option, value in (
            (UNIX_SOCKET, found.unix_socket),
            (CONNECT_TO, found.connect_to),
            (RESOLVE, found.resolve),
        )
        if value
    ]
    if server_name and given:
        raise ValueError(
            f"{given[0]}, --stream-server-name: both say where a named service is; give {server_name!r} in --host "
            "instead of --stream-server-name"
        )
    if found.unix_socket and (others := [*given[1:], *(("--stream-proxy",) if proxy else ())]):
        raise ValueError(
            f"{UNIX_SOCKET.flag}, {others[0]}: connections to a Unix socket need no other way; give only one"
        )
    if proxy and found.resolve and not _has_proxy(found, proxy):
        raise ValueError(
            f"{RESOLVE.flag}, --stream-proxy: the proxy resolves the names of services, and no entry is for the proxy "
            f"itself; give {CONNECT_TO.flag} instead of {RESOLVE.flag}"
        )
    return found


def _has_proxy(overrides: Overrides, proxy: str) -> bool:
    target = target_of(proxy)
    return bool(overrides.addresses_of(target.host, target.port))
