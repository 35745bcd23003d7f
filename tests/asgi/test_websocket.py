"""WebSockets: their streams, their chunks, and their outcomes."""

import asyncio
import socket
from contextlib import contextmanager

import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Message, RejectConnection, Request

from streamgauge.asgi import HangUpError, count_rejected, mark_outcome
from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request as Asked
from streamgauge.client.plan import StreamPlan
from streamgauge.wire.websocket import WEBSOCKET


def app_of(endpoint):
    return Starlette(routes=[WebSocketRoute("/rooms/{room}", endpoint)])


class Client:
    """A WebSocket client."""

    def __init__(self, connection):
        self._connection, self._protocol = connection, WSConnection(ConnectionType.CLIENT)
        self._events = []
        self.send(Request(host="test", target="/rooms/7"))
        self.handshake = self.next()

    def send(self, event):
        self._connection.sendall(self._protocol.send(event))

    def next(self):
        """Return the next event; None at the connection's end."""
        while not self._events:
            data = self._connection.recv(65536)
            if not data:
                return None
            self._protocol.receive_data(data)
            self._events += self._protocol.events()
        return self._events.pop(0)


@contextmanager
def connected(service):
    with socket.create_connection(("127.0.0.1", service.port), timeout=60) as connection:
        yield Client(connection)


def outcomes(service):
    names = ("completed", "error", "client_disconnect", "send_timeout", "deadline", "shutdown")
    labels = {"route": "/rooms/{room}", "protocol": "websocket"}
    return {name: n for name in names if (n := service.value("finished_total", outcome=name, **labels))}


async def talk(websocket, *messages):
    await websocket.accept()
    for message in messages:
        await (websocket.send_bytes if isinstance(message, bytes) else websocket.send_text)(message)


def test_messages_are_chunks_and_totals_equal_the_clients(serve, parser, until):
    async def endpoint(websocket: WebSocket):
        await talk(websocket, "grün", b"\x00\x01", "", "x" * 300)
        await websocket.close()

    service = serve(app_of(endpoint), parser)
    request = Asked("GET", target_of(f"ws://127.0.0.1:{service.port}/rooms/7"), {})
    (record,) = run_streams([StreamPlan("s", request, WEBSOCKET)])
    assert not record.failed, record.reason
    until(lambda: outcomes(service) == {"completed": 1})
    assert service.value("started_total") == 1
    assert service.value("chunks_total") == record.chunks == 4
    assert service.value("body_bytes_total") == service.value("chunk_size_bytes_sum") == record.bytes == 307
    assert service.value("chunk_interval_seconds_count") == 3
    assert service.value("time_to_first_chunk_seconds_count") == 1
    assert service.value("active") == 0


@pytest.mark.parametrize(
    ("code", "outcome"), [(1000, "completed"), (1001, "completed"), (1011, "error"), (4000, "error")]
)
def test_the_close_code_of_the_app_gives_the_outcome(serve, until, code, outcome):
    async def endpoint(websocket):
        await talk(websocket, "1")
        await websocket.close(code)
        with pytest.raises(RuntimeError):
            await websocket.receive_text()

    service = serve(app_of(endpoint))
    with connected(service) as client:
        assert [client.next().data, client.next().code] == ["1", code]
        assert outcomes(service) == {outcome: 1}


@pytest.mark.parametrize(
    ("code", "outcome"), [(1000, "completed"), (1001, "client_disconnect"), (None, "client_disconnect")]
)
@pytest.mark.parametrize("listens", [True, False], ids=["listening", "only sending"])
def test_the_close_code_of_the_client_gives_the_outcome(serve, until, code, outcome, listens):
    async def endpoint(websocket):
        await talk(websocket, "1")
        if listens:
            await websocket.receive_text()
        else:
            await asyncio.sleep(600)

    service = serve(app_of(endpoint))
    with connected(service) as client:
        assert client.next().data == "1"
        if code:
            client.send(CloseConnection(code=code))
    if not listens:
        until(lambda: service.connections == 0)
        service.__exit__()
    until(lambda: outcomes(service) == {outcome: 1})


def test_an_endless_sender_that_never_awaits_ends_after_a_hang_up(serve, until):
    told = []

    async def endpoint(websocket):
        await websocket.accept()
        try:
            while True:
                await websocket.send_bytes(b"on and on")
        except WebSocketDisconnect as error:
            told.append(error.__context__)
            raise

    service = serve(app_of(endpoint))
    with connected(service) as client:
        assert client.next().data
    until(lambda: outcomes(service) == {"client_disconnect": 1})
    assert service.value("active") == 0
    assert isinstance(told[0], OSError)


def test_messages_of_the_client_reach_an_app_that_receives_late(serve, until):
    async def endpoint(websocket):
        await talk(websocket, "ready")
        await asyncio.sleep(0.05)
        for _ in range(3):
            await websocket.send_text("you said " + await websocket.receive_text())
        await websocket.close()

    service = serve(app_of(endpoint))
    with connected(service) as client:
        client.next()
        for word in ("one", "two", "three"):
            client.send(Message(data=word))
        assert [client.next().data for _ in range(3)] == ["you said one", "you said two", "you said three"]
        assert client.next().code == 1000
    assert outcomes(service) == {"completed": 1}


@pytest.mark.parametrize("how", ["raises", "returns"])
def test_an_app_that_ends_without_a_close_counts_as_error(serve, until, how):
    async def endpoint(websocket):
        await talk(websocket, "1")
        if how == "raises":
            raise ValueError("broken")

    service = serve(app_of(endpoint))
    with connected(service) as client:
        assert client.next().data == "1"
        assert client.next() is None
    assert outcomes(service) == {"error": 1}
    assert service.value("active") == 0


def test_a_mark_sets_the_outcome(serve, until):
    async def endpoint(websocket):
        await talk(websocket, "1")
        mark_outcome(websocket.scope, "deadline")
        await websocket.close(1013)

    service = serve(app_of(endpoint))
    with connected(service) as client:
        client.next()
        client.next()
    until(lambda: outcomes(service) == {"deadline": 1})


def test_the_servers_shutdown_counts_as_shutdown(serve, until):
    async def endpoint(websocket):
        await talk(websocket, "1")
        await websocket.receive_text()

    service = serve(app_of(endpoint))
    with connected(service) as client:
        client.next()
        service.__exit__()
    assert outcomes(service) == {"shutdown": 1}


@pytest.mark.parametrize("reason", ["", "auth"], ids=["unnamed", "named"])
def test_a_refused_handshake_counts_once_and_not_as_a_stream(serve, until, reason):
    async def endpoint(websocket):
        if reason:
            count_rejected(websocket.scope, reason)
        await websocket.close()

    service = serve(app_of(endpoint))
    with connected(service) as client:
        assert isinstance(client.handshake, RejectConnection)
    labels = {"route": "/rooms/{room}", "protocol": "websocket", "reason": reason or "refused"}
    until(lambda: service.value("rejected_total", **labels) == 1)
    assert service.value("rejected_total") == 1
    assert service.value("started_total") == service.value("finished_total") == 0


def test_a_handshake_that_failed_is_rejected_with_reason_error(serve, until):
    async def endpoint(websocket):
        raise ValueError("broken")

    service = serve(app_of(endpoint))
    with connected(service) as client:
        assert not isinstance(client.handshake, AcceptConnection)
    until(lambda: service.value("rejected_total", protocol="websocket", reason="error") == 1)
    assert service.value("started_total") == 0


def test_the_refusal_of_an_unknown_path_has_no_route(serve, until):
    service = serve(Starlette(routes=[]))
    with connected(service) as client:
        assert isinstance(client.handshake, RejectConnection)
    until(lambda: service.value("rejected_total", route="none", protocol="websocket") == 1)


def test_a_send_after_the_hang_up_raises_an_os_error():
    assert issubclass(HangUpError, OSError)
