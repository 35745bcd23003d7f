"""The messages of ``--stream-send``, as a server of another library gets them."""

import json
import sys
import urllib.request

import pytest

from benchmarks.testbed.server import Server

INIT = '{"type":"connection_init"}'
SUBSCRIBE = '{"id":"1","type":"subscribe","payload":{"query":"subscription { n }"}}'
ASKED = ("--stream-header", "Sec-WebSocket-Protocol: graphql-transport-ws")


@pytest.fixture(scope="module")
def server():
    with Server(sys.executable, "tests/e2e/servers/graphql_ws.py") as server:
        yield server


def said_to(server):
    with urllib.request.urlopen(f"{server.url}/said") as reply:
        return json.load(reply)


def test_messages_are_sent_one_after_the_other(ask, server, tmp_path):
    (tmp_path / "subscribe.json").write_text(SUBSCRIBE)
    messages = ("--stream-send", INIT, "--stream-send", f"@{tmp_path / 'subscribe.json'}")
    scenario = {"protocol": "websocket", "send": "the scenario's own"}
    done = ask(server.url, *ASKED, *messages, "--stream-end", "chunks:6", paths=("/graphql",), arguments=scenario)
    (streams,) = done.result["streams"]
    assert (streams["outcomes"], streams["chunks"]) == ({"completed": 1}, 6), done.output
    assert said_to(server) == ["connection_init", "subscribe"]
    assert done.status == 0, done.output


def test_streams_that_send_nothing_leave_the_option_unused(ask, service):
    done = ask(service.url, "--stream-send", "x", paths=("/event",), arguments={"protocol": "sse"})
    assert "--stream-send: not used by Asker, whose streams are not WebSockets" in done.output
    (streams,) = done.result["streams"]
    assert streams["outcomes"] == {"completed": 1}
