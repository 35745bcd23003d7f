"""WebSocket protocols of several messages, against a server made with another library."""

import json
import sys
import urllib.request
from pathlib import Path

import pytest

from benchmarks.testbed.server import Server
from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.stats.outcome import Outcome
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.messages import read_send
from streamgauge.wire.rules import read_end

APP = Path(__file__).parent / "servers" / "graphql_ws.py"
INIT = {"type": "connection_init"}
SUBSCRIBE = {"id": "1", "type": "subscribe", "payload": {"query": "subscription { n }"}}
ASKED = {"Sec-WebSocket-Protocol": "graphql-transport-ws"}


@pytest.fixture(scope="module")
def server():
    with Server(sys.executable, str(APP)) as server:
        yield server


@pytest.fixture
def talk(server):
    """The record of one WebSocket, what it received, and what the server was told."""

    def run(path, send, *, headers=ASKED, end=None, body=b""):
        seen = []
        request = Request("GET", target_of(path, server.url), headers, body)
        more = {"send": read_send(send), "on_chunk": lambda chunk: seen.append(chunk.decode())}
        plan = StreamPlan("stream", request, FORMATS["websocket"], read_end(end), Limits(60.0, 60.0), **more)
        (record,) = run_streams([plan])
        with urllib.request.urlopen(f"{server.url}/said") as reply:
            return record, seen, json.load(reply)

    return run


def is_complete(chunk):
    return json.loads(chunk)["type"] == "complete"


def subscribes(chunk):
    """Subscribe once the server has acknowledged, and answer its pings."""
    if chunk is None:
        return INIT
    return {"connection_ack": SUBSCRIBE, "ping": {"type": "pong"}}.get(json.loads(chunk)["type"])


def test_a_callable_speaks_graphql(talk):
    record, seen, said = talk("/graphql", subscribes, end=is_complete)
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 6), record.reason
    assert [json.loads(each)["type"] for each in seen] == ["connection_ack", *["next"] * 3, "ping", "complete"]
    assert said == ["connection_init", "subscribe", "pong"]
    assert record.headers["sec-websocket-protocol"] == "graphql-transport-ws"


@pytest.mark.parametrize("body", [b"", json.dumps(INIT).encode()], ids=["a list", "a list after the body"])
def test_a_list_is_sent_at_once(talk, body):
    """A server that handles one message after the other acknowledges before it reads the subscription."""
    record, _, said = talk("/graphql", [SUBSCRIBE] if body else [INIT, SUBSCRIBE], body=body, end=is_complete)
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 6), record.reason
    assert said == ["connection_init", "subscribe"]


def test_a_server_that_does_not_like_a_message_says_so(talk):
    record, _, _ = talk("/graphql", SUBSCRIBE)
    assert (record.outcome, record.reason) == (Outcome.IN_BAND_ERROR, "the stream said: closed with 4401 Unauthorized")


def test_without_the_subprotocol_the_server_closes(talk):
    record, _, _ = talk("/graphql", subscribes, headers={})
    assert "4406" in record.reason


def test_texts_are_sent_as_they_are(talk):
    handshake, call = '{"protocol":"json","version":1}\x1e', '{"type":1,"target":"höhe","arguments":[]}\x1e'
    record, seen, said = talk("/signalr", {None: handshake, b"{}\x1e": call}.get)
    assert (record.outcome, record.chunks) == (Outcome.COMPLETED, 4), record.reason
    assert said == [[False, handshake], [False, call]]
    assert seen[0] == "{}\x1e"


def test_bytes_are_a_binary_message(talk):
    record, _, said = talk("/signalr", b"{}\x1e")
    assert said == [[True, str(b"{}\x1e")]]
    assert "closed with 1002" in record.reason
