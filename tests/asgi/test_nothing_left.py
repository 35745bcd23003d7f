"""After thousands of requests of every kind, the middleware holds no objects of them and has no more series."""

import asyncio
import random
import subprocess
import sys

import pytest
from prometheus_client import CollectorRegistry, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from streamgauge.asgi import StreamMetrics, mark_outcome, serve_metrics
from streamgauge.asgi.app_marks import count_rejected
from tests.held import all_else_frozen, held, left_behind

START = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]}
CHUNK = {"type": "http.response.body", "body": b"data: 1\n\n", "more_body": True}
LAST = {"type": "http.response.body", "body": b""}
TIMES, AT_ONCE = 5, 10


@pytest.fixture(autouse=True, scope="module")
def _all_else_frozen():
    with all_else_frozen():
        yield


async def whole(scope, receive, send):
    for message in (START, *[CHUNK] * 3, LAST):
        await send(message)


async def endless(scope, receive, send):
    """Send forever and never receive, so that only the middleware notices a hang-up."""
    await send(START)
    while True:
        await send(CHUNK)
        await asyncio.sleep(0)


async def waiting(scope, receive, send):
    await send(START)
    await send(CHUNK)
    while (await receive())["type"] != "http.disconnect":
        pass


async def failing(scope, receive, send):
    await send(START)
    await send(CHUNK)
    raise ValueError("broken")


async def silent(scope, receive, send):
    """Return without a response."""


async def marking(scope, receive, send):
    mark_outcome(scope, "deadline")
    await whole(scope, receive, send)


async def refusing(scope, receive, send):
    count_rejected(scope, "full")
    await send({"type": "http.response.start", "status": 503, "headers": []})
    await send(LAST)


async def hung(scope, receive, send):
    """Wait until cancelled."""
    await send(START)
    await send(CHUNK)
    await asyncio.Event().wait()


async def talking(scope, receive, send):
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "text": "1"})
        await asyncio.sleep(0)


#: The app, what happens to the request, and the outcomes that are counted: none if it is not a stream.
KINDS = {
    "whole": (whole, "stay", {"completed"}),
    "hung up": (endless, "leave", {"client_disconnect"}),
    "hung up while it waits": (waiting, "leave", {"client_disconnect"}),
    "failed": (failing, "stay", {"error"}),
    "no response": (silent, "stay", set()),
    "marked": (marking, "stay", {"deadline"}),
    "refused": (refusing, "stay", set()),
    "cancelled": (hung, "cancel", {"shutdown"}),
    "a WebSocket": (talking, "leave", {"client_disconnect"}),
}


def server(kind, fate):
    """Return a scope, ``receive`` and ``send``, as a server makes them for one request."""
    sent, number = asyncio.Event(), random.randrange(10**9)
    scope = {"type": kind, "method": "GET", "path": f"/{number}", "query_string": b"n=%d" % number, "headers": []}

    async def receive():
        if fate != "leave":
            await asyncio.Event().wait()
        await sent.wait()
        return {"type": f"{kind}.disconnect", "code": 1006}

    async def send(message):
        if message.get("body") or message["type"] == "websocket.send":
            sent.set()
        await asyncio.sleep(0)

    return scope, receive, send


async def request(measured, app, fate):
    task = asyncio.create_task(measured(*server("websocket" if app is talking else "http", fate)))
    if fate == "cancel":
        await asyncio.sleep(0.001)
        task.cancel()
    await asyncio.wait([task])
    return task.cancelled() or task.exception()


def series(registry):
    return sorted(
        line.partition(b" ")[0] for line in generate_latest(registry).splitlines() if not line.startswith(b"#")
    )


def finished(registry):
    name = "stream_server_finished_total"
    samples = [sample for family in registry.collect() for sample in family.samples if sample.name == name]
    return {sample.labels["outcome"]: sample.value for sample in samples if sample.value}


@pytest.fixture
def runner():
    with asyncio.Runner() as runner:
        yield runner


@pytest.mark.parametrize(("app", "fate", "outcomes"), KINDS.values(), ids=KINDS)
def test_nothing_is_left_of_requests(app, fate, outcomes, runner):
    registry = CollectorRegistry()
    measured = StreamMetrics(app, registry=registry)
    done = []

    async def some():
        await asyncio.gather(*(request(measured, app, fate) for _ in range(AT_ONCE)))
        for _ in range(3):
            await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    def repeat():
        runner.run(some())
        done.append(None)

    repeat()
    before = series(registry)
    left = left_behind(repeat, TIMES, AT_ONCE)
    assert left == {}
    assert series(registry) == before
    counted = finished(registry)
    assert counted == dict.fromkeys(outcomes, AT_ONCE * len(done))


@pytest.fixture
def service():
    """Return an app with routes, and its registry."""

    async def item(request: Request):
        number = int(request.path_params["number"])
        if number % 3:
            return PlainTextResponse("", 200 + number % 7)
        return StreamingResponse(events(), media_type="text/event-stream")

    async def events():
        yield b"data: 1\n\n"

    registry = CollectorRegistry()
    return StreamMetrics(Starlette(routes=[Route("/items/{number}", item)]), registry=registry), registry


async def ask(measured, path, method="GET"):
    scope, _, send = server("http", "stay")

    asked = [{"type": "http.request", "body": b""}]

    async def receive():
        if not asked:
            await asyncio.Event().wait()
        return asked.pop()

    await measured({**scope, "path": path, "method": method, "raw_path": path.encode()}, receive, send)


def test_unknown_paths_and_methods_make_no_series(service, runner):
    measured, registry = service
    numbers = iter(range(10**6))

    async def some():
        for _ in range(21):
            number = next(numbers)
            await ask(measured, f"/items/{number}")
            await ask(measured, f"/nowhere/{number}")
            await ask(measured, f"/items/{number}", f"BREW{number}")

    runner.run(some())
    before = series(registry)
    assert left_behind(lambda: runner.run(some()), 2, 60) == {}
    assert series(registry) == before
    assert not [name for name in before if b"/nowhere" in name or b"BREW" in name]


def test_scrapes_reset_nothing_and_count_nothing_twice(service, runner):
    measured, registry = service
    requests = 0
    for scrapes in (1, 5, 0, 3):
        for number in (0, 3, 6):
            runner.run(ask(measured, f"/items/{number}"))
            requests += 1
        for _ in range(scrapes):
            generate_latest(registry)
    found = {sample.name: sample.value for family in registry.collect() for sample in family.samples}
    assert found["stream_server_chunks_total"] == found["stream_server_chunk_size_bytes_count"] == requests
    assert found["stream_server_chunk_send_seconds_count"] == requests
    assert found["stream_server_body_bytes_total"] == 9 * requests
    assert found["stream_server_chunk_size_bytes_sum"] == 7 * requests  # the empty line is not part of an event's size
    assert found["stream_server_active"] == 0


def test_closed_loops_leave_no_recorder():
    registry = CollectorRegistry()
    measured = StreamMetrics(whole, registry=registry)

    def loop():
        asyncio.run(request(measured, whole, "stay"))

    # Many loops, since the memory of one may differ from the next by a float or the table of a weak set.
    assert left_behind(loop, 25) == {}
    assert finished(registry)["completed"] == 100


def test_closed_metrics_servers_leave_no_port_and_no_thread():
    registry = CollectorRegistry()

    def expose():
        with serve_metrics(0, registry=registry):
            pass
        return {kind: held()[kind] for kind in ("descriptors", "threads")}

    assert expose() == expose()


WORKERS = """
import asyncio, os, pathlib, urllib.request
from streamgauge.asgi import *
from streamgauge.asgi.recorder import Recorder
directory = prepare_multiprocess()
async def work():
    recorder = Recorder(Instruments.of())
    series = recorder.series("/s", "sse")
    series.started.inc()
    series.active.inc()
    series.count_send(None, 0, 100)
    recorder.flush()
with serve_metrics(0, "127.0.0.1") as server:
    lines = set()
    for number in range(300):
        if not (pid := os.fork()):
            asyncio.run(work())
            os._exit(9)
        os.waitpid(pid, 0)
        if number % 50:
            continue
        page = urllib.request.urlopen(server.url, timeout=60).read().decode()
        lines.add(len(page.splitlines()))
    page = urllib.request.urlopen(server.url, timeout=60).read().decode()
    theirs = [file.name for file in directory.iterdir() if str(os.getpid()) not in file.name]
    names = ("stream_server_chunks_total", "stream_server_active")
    ours = [line for line in page.splitlines() if line.startswith(names)]
    print(len(lines), sorted(theirs), ours)
"""


def test_dead_workers_leave_their_totals_and_no_active_streams():
    done = subprocess.run([sys.executable, "-c", WORKERS], capture_output=True, text=True, check=False, timeout=60)
    # The totals of all dead workers are in one file of each kind. Without them the totals would go backwards.
    theirs = ["counter_0.db", "fold.lock", "histogram_0.db", "measured"]
    ours = ['stream_server_chunks_total{protocol="sse",route="/s"} 300.0']
    assert done.stdout == f"1 {theirs} {ours}\n", done.stderr
