"""The WebSocket: its messages, its close, its failures, and its refusals."""

import json
import socket

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, CloseConnection, Ping, Pong, RejectConnection, RejectData, Request
from wsproto.events import TextMessage as Text

DEADLINE_S = 60.0


class Client:
    """A WebSocket client on a real socket."""

    def __init__(self, app, query):
        self.socket = socket.create_connection(app.address, timeout=DEADLINE_S)
        self.connection = WSConnection(ConnectionType.CLIENT)
        self.send(Request(host="test", target=f"/stream/ws?{query}"))

    def send(self, event):
        self.socket.sendall(self.connection.send(event))

    def events(self):
        """Everything that comes, until the transport ends."""
        while True:
            yield from self.connection.events()
            data = self.socket.recv(65536)
            if not data:
                return
            self.connection.receive_data(data)


@pytest.fixture
def listen(app):
    """What a stream sends: the messages, the close code (None where the transport was cut), and the refusal."""

    def run(query):
        client, text, messages = Client(app, query), "", []
        with client.socket:
            for event in client.events():
                if isinstance(event, Text):
                    text += event.data
                    if event.message_finished:
                        messages.append(json.loads(text))
                        text = ""
                elif isinstance(event, CloseConnection):
                    client.send(event.response())
                    return messages, event.code
        return messages, None

    return run


def test_the_messages_are_numbered_and_the_last_one_says_so(listen):
    messages, code = listen("chunks=5&interval_ms=1")
    *readings, done = messages
    assert code == 1000
    assert [(reading["type"], reading["seq"]) for reading in readings] == [("reading", n) for n in range(5)]
    assert done == {"type": "done", "chunks": 5}


def test_chunk_bytes_is_the_size_of_a_message(listen):
    messages, _ = listen("chunks=2&interval_ms=0&chunk_bytes=5000")
    assert len(json.dumps(messages[0], separators=(",", ":"))) in range(4990, 5001)  # level_m may end in a zero


@pytest.mark.parametrize(
    ("how", "last", "code"), [("error", "error", 1011), ("end", "reading", 1000), ("cut", "reading", None)]
)
def test_it_fails_as_it_was_asked_to(listen, how, last, code):
    messages, found = listen(f"chunks=5&interval_ms=1&fail_at=2&fail_how={how}")
    assert (messages[-1]["type"], found) == (last, code)
    assert sum(message["type"] == "reading" for message in messages) == 2


@pytest.mark.parametrize("query", ["chunks=0", "chunk=5", "fail_how=no"])
def test_knobs_that_are_wrong_are_a_status_instead_of_a_handshake(app, query):
    client, body = Client(app, query), b""
    with client.socket:
        for event in client.events():
            assert not isinstance(event, AcceptConnection)
            if isinstance(event, RejectConnection):
                assert event.status_code == 422
            if isinstance(event, RejectData):
                body += event.data
                if event.body_finished:
                    break
    assert json.loads(body)["detail"][0]["loc"] == ["query", query.partition("=")[0]]


def test_what_the_client_says_is_taken_and_left(app):
    client, messages = Client(app, "chunks=30&interval_ms=10"), []
    with client.socket:
        for event in client.events():
            if isinstance(event, AcceptConnection):
                for _ in range(50):
                    client.send(Text(data="x" * 1000))
            if isinstance(event, Text):
                messages.append(event.data)
            if isinstance(event, CloseConnection):
                assert event.code == 1000
                break
    assert len(messages) == 31


@pytest.mark.parametrize(("size_bytes", "code"), [(1024, 1000), (1025, 1009)])
def test_a_message_is_no_longer_than_a_body_may_be(start, size_bytes, code):
    client = Client(start("--max-body-bytes", "1024"), "chunks=30&interval_ms=10")
    with client.socket:
        for event in client.events():
            if isinstance(event, AcceptConnection):
                client.send(Text(data="x" * size_bytes))
            if isinstance(event, CloseConnection):
                assert event.code == code
                return
    pytest.fail("it was not closed")


def test_a_ping_is_answered_while_it_streams(app):
    client = Client(app, "chunks=100000&interval_ms=10")
    with client.socket:
        for event in client.events():
            if isinstance(event, AcceptConnection):
                client.send(Ping(payload=b"there?"))
            if isinstance(event, Pong):
                assert event.payload == b"there?"
                return
    pytest.fail("no pong came")


def test_a_client_that_closes_is_answered_and_ends_the_stream(app, until):
    client, code = Client(app, "chunks=100000&interval_ms=10"), None
    with client.socket:
        for event in client.events():
            if isinstance(event, Text) and code is None:
                code = 0
                client.send(CloseConnection(code=1000))
            if isinstance(event, CloseConnection):
                code = event.code
    assert code == 1000
    until(lambda: app.metric("stream_server_active", route="/stream/ws") == 0)


def test_a_request_without_an_upgrade_is_told_to_ask_for_one(app):
    answer = app.get("/stream/ws")
    assert (answer.status, answer.headers["upgrade"]) == (426, "websocket")
