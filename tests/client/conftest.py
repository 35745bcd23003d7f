"""A server that does as a script says, whatever HTTP says, and the call that streams from it."""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect import stamped_socket as client_socket
from streamgauge.client.connect.target import target_of
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.client.reactor import SelectorReactor
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.client.short.short_stream import ShortStream
from streamgauge.stats.cpu_wait import CpuWait
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.rules import read_end
from streamgauge.wire.sequence import read_numbering
from tests.waiting import wait_until

#: Bytes are sent, a number is a pause in seconds, a callable is given the connection and the request's head; "read"
#: waits for the client to read all that was sent, so that what follows comes in a read of its own; "fin" and "rst"
#: close, and without either the connection stays open.
Step = bytes | float | str | Callable[[socket.socket, bytes], object]
Script = Sequence[Step]
#: Long enough on a machine that has much else to do.
DEADLINE_S = 60.0


class WatchedSocket(client_socket.Socket):
    """A client's socket: what was read from each is counted by its address."""

    bytes_read: ClassVar[Counter[Any]] = Counter()

    def recvmsg(self, *arguments: Any) -> Any:
        found = super().recvmsg(*arguments)
        self.bytes_read[self.getsockname()] += len(found[0])
        return found


class Connection(socket.socket):
    """The server's end of a connection, which knows what it has sent."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(fileno=accepted.detach())
        self._peer = self.getpeername()
        self._due_bytes = WatchedSocket.bytes_read[self._peer]

    def sendall(self, data: Any, *flags: int) -> None:
        """Send all of it."""
        super().sendall(data, *flags)
        self._due_bytes += len(data)

    @property
    def read(self) -> bool:
        """Whether the client has read all that was sent, or has hung up."""
        return WatchedSocket.bytes_read[self._peer] >= self._due_bytes or self._left

    @property
    def _left(self) -> bool:
        try:
            return not self.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True


class ScriptedServer:
    """Plays ``scripts[path]`` for each request, on as many connections as come."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.scripts: dict[str, Script] = {}
        #: Scripts for the connection of that number alone, counted from 1.
        self.on_connection: dict[int, dict[str, Script]] = {}
        #: Scripts for the request of that number alone, counted from 1.
        self.on_request: dict[int, dict[str, Script]] = {}
        self.requests: list[bytes] = []
        #: How clients ended connections that the server left open: "fin" or "rst".
        self.hung_up: list[str] = []
        self.connections = 0
        #: Those of them that the server has closed.
        self.closed = 0
        self._closing = threading.Event()
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, 0), family=family, backlog=512)
        self.host = f"[{host}]" if ":" in host else host
        self.port: int = self._listener.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/") -> str:
        return f"http://{self.host}:{self.port}{path}"

    def _accept(self) -> None:
        while True:
            try:
                connection = Connection(self._listener.accept()[0])
            except OSError:
                return
            self.connections += 1
            self._open.add(connection)
            self._threads.append(threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True))
            self._threads[-1].start()

    def _serve(self, connection: Connection, number: int) -> None:
        try:
            while head := self._request(connection):
                self.requests.append(head)
                scripts = (
                    self.scripts | self.on_connection.get(number, {}) | self.on_request.get(len(self.requests), {})
                )
                if not self._play(connection, head, scripts[head.split()[1].decode()]):
                    return
            self.hung_up.append("fin")
        except OSError:
            self.hung_up.append("rst")
        finally:
            connection.close()
            self.closed += 1

    @staticmethod
    def _request(connection: socket.socket) -> bytes:
        """One request's head; its body, if any, stays unread."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            if not (byte := connection.recv(1)):
                return b""
            head += byte
        return head

    def _play(self, connection: Connection, head: bytes, script: Script) -> bool:
        for step in script:
            if isinstance(step, bytes):
                connection.sendall(step)
            elif isinstance(step, float):
                self._closing.wait(step)
            elif callable(step):
                step(connection, head)
            elif step == "read":
                wait_until(lambda: connection.read or self._closing.is_set(), "for the client to read")
            else:
                if step == "rst":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
        return True

    def close(self) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)


@pytest.fixture(autouse=True)
def _watched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_socket, "Socket", WatchedSocket)


@pytest.fixture
def cpu_to_spare(monkeypatch: pytest.MonkeyPatch) -> None:
    """The generator never waits for a CPU, which would leave times to first chunk and durations open."""
    monkeypatch.setattr(CpuWait, "ns", lambda self: 0)


@pytest.fixture
def make_server() -> Iterator[Callable[..., ScriptedServer]]:
    """A function that starts a server on a host."""
    servers: list[ScriptedServer] = []

    def make(host: str = "127.0.0.1") -> ScriptedServer:
        servers.append(ScriptedServer(host))
        return servers[-1]

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def server(make_server: Callable[..., ScriptedServer]) -> ScriptedServer:
    return make_server()


NO_FIELDS: Mapping[str, str] = {}
Plan = Callable[..., StreamPlan]


@pytest.fixture
def plan(server: ScriptedServer) -> Plan:
    """A plan for a stream that the server plays ``script`` for; limits are given by name."""

    def make(
        script: Script = (), path: str = "/", url: str = "", headers: Mapping[str, str] = NO_FIELDS, **options: Any
    ) -> StreamPlan:
        server.scripts[path] = script
        body, method = options.pop("body", b""), options.pop("method", "GET")
        limits = {name: options.pop(name) for name in Limits.__slots__ if name in options}
        request = Request(method, target_of(url or server.url(path)), headers, body)
        wire_format = FORMATS[options.pop("protocol", "sse")]
        end, sequence = read_end(options.pop("end", None)), read_numbering(options.pop("sequence", None))
        limits = replace(Limits(DEADLINE_S, DEADLINE_S), **limits)
        options = {"name": "stream", "limits": limits, **options}
        return StreamPlan(request=request, format=wire_format, end=end, sequence=sequence, **options)

    return make


@pytest.fixture
def stream(plan: Plan) -> Callable[..., StreamRecord]:
    """The record of one stream."""
    return lambda *args, **options: run_streams([plan(*args, **options)])[0]


@pytest.fixture
def again(server: ScriptedServer, plan: Plan) -> Callable[..., StreamRecord]:
    """The record of a stream whose n-th request is answered by the n-th script, all later ones by the last."""

    def run(
        *scripts: Script, process_stats: ProcessStats | None = None, broken_off: Any = None, **options: Any
    ) -> StreamRecord:
        server.on_request = broken_off or {n: {"/": script} for n, script in enumerate(scripts[:-1], 1)}
        options = {"reconnect": len(scripts) - 1, "end": "event:done", **options}
        return run_streams([plan(scripts[-1], **options)], process_stats)[0]

    return run


class Talk:
    """One user's streams, one after the other."""

    def __init__(self) -> None:
        self.session = Session()
        self.process_stats = ProcessStats()
        self.reactor = SelectorReactor()
        self.context = ProcessContext(self.process_stats, self.reactor)

    def stream(self, plan: StreamPlan, until: Callable[[], object] = lambda: False) -> StreamRecord:
        """Run a stream to its end, or ``until`` something is true, when the run ends. No stream goes the short way."""
        paused: list[bool] = []
        exchange = Exchange(plan, self.context, lambda: paused.append(True))

        def wait() -> None:
            self.reactor.run_until(lambda: bool(paused or until()))
            if not paused:
                exchange.censor()
            paused.clear()

        self.session.run(exchange, wait)
        assert exchange.record is not None
        return exchange.record

    def short(self, plan: StreamPlan, behind_ns: int | None = None) -> ShortStream | None:
        """Run a stream that goes the short way, if the next one of ``plan`` may; else return None."""
        over: list[bool] = []
        stream = self.session.short(plan, self.context, lambda: over.append(True))

        def wait() -> None:
            self.reactor.run_until(lambda: bool(over))
            over.clear()

        if stream is not None:
            if behind_ns is not None:
                stream.count_from_schedule(behind_ns)
            self.session.run_short(stream, wait)
        return stream

    def close(self) -> None:
        self.session.close()
        self.reactor.close()


@pytest.fixture
def talk() -> Iterator[Talk]:
    talk = Talk()
    yield talk
    talk.close()
