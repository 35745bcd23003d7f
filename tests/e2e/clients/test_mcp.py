"""MCP's own client against an MCP server that carries the middleware: it notices nothing; every event is counted."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from mcp.client import ClientSession
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from prometheus_client.parser import text_string_to_metric_families

from tests.waiting import wait_until

SERVER = Path(__file__).parents[1] / "servers/mcp_app.py"
READINGS = 7
TRANSPORTS = {"/mcp": streamable_http_client, "/sse": sse_client}


@pytest.fixture
def server():
    with subprocess.Popen([sys.executable, SERVER], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Server(process)
        finally:
            process.kill()


class Server:
    def __init__(self, process):
        addresses = json.loads(process.stdout.readline())
        self.url, self._metrics_url = addresses["url"], addresses["metrics_url"]

    def streams(self):
        """What was passed on to the server of each stream."""
        with urllib.request.urlopen(f"{self.url}/tap", timeout=60) as answer:
            return json.load(answer)

    def metric(self, name, **labels):
        with urllib.request.urlopen(self._metrics_url, timeout=60) as answer:
            families = text_string_to_metric_families(answer.read().decode())
            samples = [each for family in families for each in family.samples if each.name == name]
        return sum(each.value for each in samples if labels.items() <= each.labels.items())

    def wait_for(self, expected, name, **labels):
        wait_until(lambda: self.metric(name, **labels) == expected, f"{name} {labels} is {expected}")


async def conversation(address, transport):
    """A session: it lists the tools, and calls one that reports its progress and one that fails."""
    progress = []

    async def note(done, total, _):
        progress.append((done, total))

    async with transport(address) as (receive, send, *_), ClientSession(receive, send) as session:
        await session.initialize()
        tools = [each.name for each in (await session.list_tools()).tools]
        answer = await session.call_tool("read_levels", {"readings": READINGS}, progress_callback=note)
        failure = await session.call_tool("fail", {})
    return tools, progress, answer, failure


@pytest.mark.parametrize("path", TRANSPORTS)
def test_a_conversation_is_as_without_the_middleware(server, path):
    tools, progress, answer, failure = asyncio.run(conversation(server.url + path, TRANSPORTS[path]))
    assert tools == ["read_levels", "fail"]
    assert progress == [(number + 1, READINGS) for number in range(READINGS)]
    assert (answer.content[0].text, bool(answer.is_error)) == (f"{READINGS} readings", False)
    assert failure.is_error
    assert "the gauge is dry" in failure.content[0].text


def test_streamable_http_is_a_stream_for_each_request_and_one_for_the_session(server):
    asyncio.run(conversation(f"{server.url}/mcp", streamable_http_client))
    labels = {"route": "/mcp", "protocol": "sse"}
    # initialize, tools/list, two tools/call; and the GET that listens
    server.wait_for(5, "stream_server_finished_total", **labels)
    streams = server.streams()
    assert sorted((each["method"], each["events"]) for each in streams) == [
        ("GET", 0),
        *[("POST", 1)] * 3,
        ("POST", READINGS + 1),
    ]
    check_counts(server, streams, labels)
    assert server.metric("http_server_request_duration_seconds_count", method="POST", status_code="202") == 1
    assert server.metric("http_server_request_duration_seconds_count", method="DELETE", status_code="200") == 1


def test_the_older_transport_is_one_stream_for_the_session(server):
    asyncio.run(conversation(f"{server.url}/sse", sse_client))
    labels = {"route": "/sse", "protocol": "sse"}
    server.wait_for(1, "stream_server_finished_total", outcome="client_disconnect", **labels)
    (stream,) = streams = server.streams()
    # where to post, initialize, tools/list, the progress, two results
    assert stream["events"] == 1 + 2 + READINGS + 2
    check_counts(server, streams, labels)
    # initialize, its notification, tools/list, two tools/call
    assert server.metric("http_server_request_duration_seconds_count", method="POST", status_code="202") == 5


def check_counts(server, streams, labels):
    """The middleware's counts are those of what was passed on."""
    assert server.metric("stream_server_started_total", **labels) == len(streams)
    assert server.metric("stream_server_chunks_total", **labels) == sum(each["events"] for each in streams)
    assert server.metric("stream_server_body_bytes_total", **labels) == sum(each["bytes"] for each in streams)
    assert server.metric("stream_server_active") == 0
    assert server.metric("stream_server_finished_total", outcome="error") == 0


def test_a_client_that_leaves_within_a_session_is_a_client_that_hung_up(server):
    async def leave():
        async with (
            streamable_http_client(f"{server.url}/mcp", terminate_on_close=False) as (receive, send, *_),
            ClientSession(receive, send) as session,
        ):
            await session.initialize()
            await session.list_tools()
            await asyncio.to_thread(server.wait_for, 1, "stream_server_active")

    asyncio.run(leave())
    server.wait_for(1, "stream_server_finished_total", outcome="client_disconnect", route="/mcp")
    server.wait_for(0, "stream_server_active")
