"""Every way in which a stream can end: what is asked for, and how it may come out on a machine that is busy."""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trustme

SOON_S = 0.03


@dataclass(frozen=True)
class Way:
    """``url`` is of the ports that the server has.

    ``network`` is ``direct``, by a ``proxy`` or a ``deaf`` one, or ``strict`` on certificates.
    """

    url: str
    outcomes: str
    options: Mapping[str, Any] = field(default_factory=dict)
    network: str = "direct"


def hang_up(_chunk: object) -> bool:
    """Leave at the first chunk."""
    return False


HTTP, TLS = "http://127.0.0.1:{http}", "https://127.0.0.1:{tls}"
#: On a busy machine a limit can pass before the connection is made, or before a broken one is noticed.
LATE = "stalled connect_error truncated"
WAYS = {
    "completed": Way(HTTP + "/completed", "completed"),
    "completed at a close": Way(HTTP + "/closed", "completed"),
    "completed under TLS": Way(TLS + "/completed", "completed"),
    "without its named end": Way(HTTP + "/completed", "incomplete", {"end": "event:done"}),
    "truncated": Way(HTTP + "/truncated", "truncated"),
    "truncated under TLS": Way(TLS + "/truncated", "truncated"),
    "reset": Way(HTTP + "/reset", "truncated"),
    "closed before the response": Way(HTTP + "/nothing", "truncated"),
    "closed before the response under TLS": Way(TLS + "/nothing", "truncated"),
    "a status": Way(HTTP + "/refused", "http_error"),
    "another type": Way(HTTP + "/other", "http_error", {"protocol": "sse"}),
    "bad framing": Way(HTTP + "/wrong", "protocol_error"),
    "an error in the stream": Way(HTTP + "/failed", "in_band_error"),
    "hung up": Way(HTTP + "/drip", "aborted", {"on_chunk": hang_up}),
    "hung up under TLS": Way(TLS + "/drip", "aborted", {"on_chunk": hang_up}),
    "refused": Way("http://127.0.0.1:{closed}/", "connect_error"),
    "a certificate refused": Way(TLS + "/completed", "connect_error", network="strict"),
    "late in connecting": Way("http://127.0.0.1:{full}/", "connect_error", {"first_chunk_timeout_s": SOON_S}),
    "late in the TLS handshake": Way("https://127.0.0.1:{deaf}/", "connect_error", {"first_chunk_timeout_s": SOON_S}),
    "late in the proxy's answer": Way(TLS + "/completed", "connect_error", {"first_chunk_timeout_s": SOON_S}, "deaf"),
    "late in the head": Way(HTTP + "/silent", LATE, {"first_chunk_timeout_s": SOON_S}),
    "late in the first chunk": Way(HTTP + "/head", LATE, {"first_chunk_timeout_s": SOON_S}),
    "idle": Way(HTTP + "/quiet", "stalled", {"idle_timeout_s": SOON_S}),
    "too long": Way(HTTP + "/drip", LATE, {"total_timeout_s": SOON_S}),
    "redirected": Way(HTTP + "/redirect", "completed"),
    "redirected elsewhere": Way(HTTP + "/elsewhere", "completed"),
    "redirected too often": Way(HTTP + "/redirect", "http_error", {"max_redirects": 0}),
    "reconnected": Way(HTTP + "/again", "truncated", {"protocol": "sse", "reconnect": 2}),
    "late while it waits": Way(HTTP + "/later", LATE, {"protocol": "sse", "reconnect": 1, "idle_timeout_s": SOON_S}),
    "by a proxy": Way(HTTP + "/completed", "completed", network="proxy"),
    "by a tunnel": Way(TLS + "/completed", "completed", network="proxy"),
    "a WebSocket": Way(HTTP + "/websocket", "completed", {"protocol": "websocket"}),
    "a WebSocket by a tunnel": Way(HTTP + "/websocket", "completed", {"protocol": "websocket"}, "proxy"),
    "a WebSocket that is left": Way(HTTP + "/websocket", "aborted", {"protocol": "websocket", "on_chunk": hang_up}),
    "a WebSocket redirected by a tunnel": Way(HTTP + "/redirect", "http_error", {"protocol": "websocket"}, "proxy"),
    "cookies": Way(HTTP + "/cookies", "completed"),
}
#: Where a stream stands when the run ends under it.
MIDDLES = {
    "connecting": Way("http://127.0.0.1:{full}/", "censored"),
    "shaking hands": Way("https://127.0.0.1:{deaf}/", "censored"),
    "asking a proxy": Way(TLS + "/completed", "censored", network="deaf"),
    "before the head": Way(HTTP + "/silent", "censored"),
    "before the first chunk": Way(HTTP + "/head", "censored"),
    "in mid-stream": Way(HTTP + "/drip", "censored"),
    "in mid-stream under TLS": Way(TLS + "/drip", "censored"),
    "waiting to be connected to again": Way(HTTP + "/later", "censored", {"protocol": "sse", "reconnect": 1}),
}


@contextmanager
def serving(directory: Path) -> Iterator[dict[str, int]]:
    """The ports of a server in a process of its own, of nobody (``closed``), and of one with a ``full`` queue."""
    certificate = directory / "certificate.pem"
    trustme.CA().issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(certificate)
    command = [sys.executable, Path(__file__).with_name("serve.py"), certificate]
    with ExitStack() as stack:
        process = stack.enter_context(
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        )
        assert process.stdin is not None
        assert process.stdout is not None
        stack.callback(process.stdin.close)
        ports: dict[str, int] = json.loads(process.stdout.readline())
        with socket.create_server(("127.0.0.1", 0)) as nobody:
            ports["closed"] = nobody.getsockname()[1]
        full = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        ports["full"] = full.getsockname()[1]
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        yield ports
