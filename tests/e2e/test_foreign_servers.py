"""The scenarios against servers that are not ours, each of which logs its own sends."""

import os
import shutil
import sys
from pathlib import Path

import pytest

from benchmarks.locust_run import run_locust
from benchmarks.server import Server, quantile_s

SERVERS = Path(__file__).parent / "servers"
USERS, CHUNKS = 20, 30
#: Ends in the middle of the fourth stream of each user.
RUN_TIME = "5s"
SCENARIOS = {"sse": "loadtests/sse.py", "ndjson": "loadtests/ndjson.py", "raw": "loadtests/download.py"}
NAMED_END = {"sse": "event:done", "ndjson": f"chunks:{CHUNKS}"}
PAIRS = [
    pytest.param(("sse_starlette", "sse"), id="sse-starlette-sse"),
    pytest.param(("sse_starlette", "ndjson"), id="sse-starlette-ndjson"),
    *(pytest.param(("node", each), id=f"node-{each}", marks=pytest.mark.node) for each in SCENARIOS),
]


def command(server):
    if server == "sse_starlette":
        return sys.executable, str(SERVERS / "sse_starlette_app.py")
    node = shutil.which("node")
    if not node:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no Node.js")
    return node, str(SERVERS / "node_http.mjs")


@pytest.fixture(scope="module", params=PAIRS)
def measured(request, tmp_path_factory):
    """A run against a foreign server, and the server's log of it."""
    server, stream = request.param
    options = ["--stream-path", f"/{stream}?chunks={CHUNKS}&interval_ms=50", "-u", USERS, "-r", 100, "-t", RUN_TIME]
    if stream in NAMED_END:
        options += ["--stream-end", NAMED_END[stream]]
    with Server(*command(server)) as source:
        directory = tmp_path_factory.mktemp("results")
        run = run_locust(SCENARIOS[stream], "--headless", "-H", source.url, *options, result_dir=directory)
        return run, source.log()


def test_every_stream_that_the_server_served_is_completed(measured):
    run, log = measured
    assert run.status == 0, run.output
    assert run.outcomes == {"completed": len(log.streams)}
    assert {len(sends) for sends in log.streams} == {CHUNKS}


def test_chunks_are_what_the_server_sent_and_pings_are_none(measured):
    run, log = measured
    assert run.chunks == log.chunks


def test_the_chunk_interval_is_that_of_the_servers_log(measured):
    run, log = measured
    interval = run.result["streams"][0]["chunk_interval"]
    assert interval["count"] == len(log.intervals_ns)
    for name, q in (("p50", 0.5), ("p99", 0.99)):
        assert interval[name] == pytest.approx(quantile_s(log.intervals_ns, q), abs=0.001), name


def test_each_user_keeps_its_connection(measured):
    _, log = measured
    assert log.connections == USERS < len(log.streams)


def test_pings_and_comments_are_counted_as_heartbeats(measured):
    run, _ = measured
    (streams,) = run.result["streams"]
    assert (streams["heartbeats"] > 0) == (streams["protocol"] == "sse")
