"""The scenarios against servers that are not ours, each of which logs its own sends."""

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks.testbed.server import ROOT, Server
from streamgauge.calibrate.truth import Stream, chunk_interval
from streamgauge.runner.finished_run import run_locust
from streamgauge.stats.histogram import RELATIVE_ERROR

pytestmark = pytest.mark.timeout(900)

SERVERS = Path(__file__).parent / "servers"
USERS, CHUNKS = 20, 30
#: The first ends in the middle of the third stream of each user; where the machine was so busy that no connection was
#: used again, the next is the run.
RUN_TIMES = ("4s", "15s", "60s")
SCENARIOS = {"sse": "loadtests/sse.py", "ndjson": "loadtests/ndjson.py", "raw": "loadtests/download.py"}
NAMED_END = {"sse": "event:done", "ndjson": f"chunks:{CHUNKS}"}
PAIRS = [("sse_starlette", "sse"), ("sse_starlette", "ndjson"), ("node", "sse"), ("node", "ndjson"), ("node", "raw")]
#: Runs at a time: they mostly wait.
AT_ONCE = 2


def command(server):
    """What starts the server; None where it cannot be had."""
    if server == "sse_starlette":
        return sys.executable, str(SERVERS / "sse_starlette_app.py")
    node = shutil.which("node")
    return (node, str(SERVERS / "node_http.mjs")) if node else None


def run(pair, directory):
    """A run against a foreign server, and the server's log of it."""
    for run_time in RUN_TIMES:
        done, log = run_for(run_time, pair, directory / run_time)
        if len(log.streams) > log.connections == USERS:
            break
    return done, log


def run_for(run_time, pair, directory):
    server, stream = pair
    options = ["--stream-path", f"/{stream}?chunks={CHUNKS}&interval_ms=50", "-u", USERS, "-r", 100, "-t", run_time]
    if stream in NAMED_END:
        options += ["--stream-end", NAMED_END[stream]]
    with Server(*command(server)) as source:
        done = run_locust(SCENARIOS[stream], "--headless", "-H", source.url, *options, result_dir=directory, cwd=ROOT)
        return done, source.log()


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    found = [pair for pair in PAIRS if command(pair[0])]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        directories = [tmp_path_factory.mktemp("-".join(pair)) for pair in found]
        return dict(zip(found, pool.map(run, found, directories), strict=True))


@pytest.fixture(
    params=[pytest.param(pair, id="-".join(pair), marks=[pytest.mark.node] * (pair[0] == "node")) for pair in PAIRS]
)
def measured(request, runs):
    if request.param not in runs:
        pytest.skip("no Node.js")
    return runs[request.param]


def test_every_stream_that_the_server_served_is_completed(measured):
    run, log = measured
    only_too_busy = run.result["verdict"]["trust"] == "invalid"
    assert run.status == (3 if only_too_busy else 0), run.output
    assert run.outcomes == {"completed": len(log.streams)}
    assert {len(sends) for sends in log.streams} == {CHUNKS}


def test_chunks_are_what_the_server_sent_and_pings_are_none(measured):
    run, log = measured
    assert run.chunks == log.chunks


def test_the_chunk_interval_is_that_of_the_servers_log(measured):
    run, log = measured
    interval = run.result["streams"][0]["chunk_interval"]
    assert interval["count"] == len(log.intervals_ns)
    streams = [Stream(0, 0, before_ns, after_ns) for before_ns, after_ns in zip(log.streams, log.sent, strict=True)]
    for name, q in (("p50", 0.5), ("p99", 0.99)):
        # A chunk arrives while its server sends it, however long the server is kept from running before or after.
        least_s, _, most_s = chunk_interval(streams, q)
        low_s, high_s = interval["uncertain"].get(name, (interval[name],) * 2)
        assert low_s <= most_s * (1 + RELATIVE_ERROR), name
        assert high_s >= least_s * (1 - RELATIVE_ERROR), name


def test_each_user_keeps_its_connection(measured):
    _, log = measured
    assert log.connections == USERS < len(log.streams)


def test_pings_and_comments_are_counted_as_heartbeats(measured):
    run, _ = measured
    (streams,) = run.result["streams"]
    assert (streams["heartbeats"] > 0) == (streams["protocol"] == "sse")
