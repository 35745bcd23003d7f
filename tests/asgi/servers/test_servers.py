"""Each server, started by its own command line: what its clients saw of each kind of response, and what was counted."""

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from tests.asgi.servers.program import COMMANDS, DEADLINE_S, Program, read_until, reset

#: How many servers run at a time.
AT_ONCE = 2
STREAMS = {"/sse": b"data: 1\n\n", "/ndjson": b'{"number": 1}\n', "/raw": b"x" * 100, "/length": b"x" * 100}
#: A WebSocket's close frame with the code 1000.
CLOSE = b"\x88\x02\x03\xe8"
#: Servers that end a response of HTTP/1.0 that the app did not finish as if it had: the client cannot see the cut. ASGI
#: has no message that resets a connection, and none of them does so if the app raises an error.
ENDS_BY_FIN = set(COMMANDS) - {"daphne"}
#: daphne leaves the connection of a failed stream open until its own time limit.
STAYS_OPEN = {"daphne"}
#: daphne takes everything from the app at once, so there is no back-pressure.
NO_BACK_PRESSURE = {"daphne"}
#: gunicorn's own worker does not wake a send that waits for a reader when that reader is gone.
NO_HANG_UP_IN_SEND = {"gunicorn-asgi"}
#: granian reports a WebSocket that it closes at its end as a disconnect of the client.
CLOSES_AS_CLIENT = {"granian"}


@dataclass
class Run:
    """One run of a server: answers and connection ends by path, pages, counts, and its exit."""

    server: str
    answers: dict[str, bytes] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    page: str = ""
    flooded: float = 0
    counts: dict[str, float] = field(default_factory=dict)
    exit: int | None = None


def run_all(server, directory, free_port):
    """Ask for everything, hang up in two ways, and end the server by SIGTERM while three streams last."""
    run = Run(server)
    failing_s = 1.0 if server in STAYS_OPEN else DEADLINE_S
    with Program(server, "app", directory, free_port) as program:
        for path in (*STREAMS, "/plain", "/broken"):
            run.answers[path], run.ends[path] = program.get(path)
        run.answers["/failing"], run.ends["/failing"] = program.get("/failing", timeout_s=failing_s)
        run.answers["1.0"], run.ends["1.0"] = program.get("/failing", "1.0", failing_s)
        with program.websocket("/socket") as connection:
            run.answers["/socket"] = read_until(connection, CLOSE)
        with program.open("/left") as connection:
            assert connection.recv(4096)
        program.until(lambda: program.counts()["finished_total /left client_disconnect"])
        with program.open("/flood") as connection:
            assert connection.recv(100)
            if server in NO_BACK_PRESSURE:
                program.until(lambda: program.counts()["finished_total /flood completed"])
            run.flooded = blocked_after(program)
            reset(connection)
        if server not in NO_HANG_UP_IN_SEND | NO_BACK_PRESSURE:
            program.until(lambda: program.counts()["finished_total /flood client_disconnect"])
        run.page = program.page()
        lasting = [program.open("/endless"), program.open("/sse-starlette"), program.websocket("/endless-socket")]
        for connection in lasting:
            assert connection.recv(4096)
        program.until(lambda: program.counts()["active /endless-socket"])
        run.exit = program.end(signal.SIGTERM)
        run.counts = program.counts()
        for connection in lasting:
            connection.close()
    return run


def blocked_after(program):
    """Return how many chunks a reader that does not read lets through, once their number no longer changes."""
    before, now = -1, 0
    while before != now:
        time.sleep(0.3)
        before, now = now, program.counts()["chunks_total /flood"]
    return now


def end_bare(server, directory, free_port):
    """End an app that knows no lifespan by SIGINT, as Ctrl-C does, while a stream lasts."""
    with Program(server, "bare", directory, free_port) as program:
        with program.open("/bare") as connection:
            assert connection.recv(4096)
            program.until(lambda: program.counts()["active /bare"])
            program.end(signal.SIGINT)
        return program.counts()


@pytest.fixture(scope="module")
def ended(tmp_path_factory, free_port):
    """Run every server twice, some beside each other. Return futures: the runs, and the counts after SIGINT."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        places = {server: (tmp_path_factory.mktemp(server), tmp_path_factory.mktemp(server)) for server in COMMANDS}
        runs = {server: pool.submit(run_all, server, places[server][0], free_port) for server in COMMANDS}
        bare = {server: pool.submit(end_bare, server, places[server][1], free_port) for server in COMMANDS}
    return runs, bare


@pytest.fixture(params=COMMANDS)
def run(request, ended):
    return ended[0][request.param].result()


@pytest.fixture(params=COMMANDS)
def interrupted(request, ended):
    return ended[1][request.param].result()


@pytest.mark.parametrize("path", STREAMS)
def test_a_stream_arrives_whole_and_counts_as_completed(run, path):
    assert run.answers[path].count(STREAMS[path]) == 5
    assert run.counts[f"finished_total {path} completed"] == run.counts[f"started_total {path}"] == 1
    assert run.counts[f"chunks_total {path}"] == 5
    assert run.counts[f"body_bytes_total {path}"] == 5 * len(STREAMS[path])


def test_a_response_that_does_not_stream_counts_as_a_request(run):
    assert run.answers["/plain"].endswith(b"{}")
    assert run.counts["http_server_request_duration_seconds_count /plain 200"] == 1


def test_an_error_before_the_first_byte_is_a_status(run):
    assert run.answers["/broken"].startswith(b"HTTP/1.1 500")
    assert run.counts["http_server_request_duration_seconds_count /broken 500"] == 1


def test_an_error_after_the_first_byte_ends_no_chunked_body(run):
    assert run.answers["/failing"].count(b"data: 1\n\n") == 2
    assert not run.answers["/failing"].endswith(b"0\r\n\r\n")
    assert run.ends["/failing"] == ("open" if run.server in STAYS_OPEN else "fin")
    assert run.counts["finished_total /failing error"] == 2


def test_without_framing_an_error_cannot_be_told_from_an_end(run):
    """No server resets the connection. A client of HTTP/1.1 misses the last chunk; one of HTTP/1.0 sees nothing."""
    assert run.ends["1.0"] == ("fin" if run.server in ENDS_BY_FIN else "open")


def test_a_websocket_that_the_app_closes_is_completed(run):
    assert run.answers["/socket"].startswith(b"HTTP/1.1 101")
    assert run.counts["finished_total /socket completed"] == 1
    assert run.counts["chunks_total /socket"] == 3


def test_a_client_that_leaves_is_noticed(run):
    assert run.counts["finished_total /left client_disconnect"] == 1


def test_a_reader_that_does_not_read_holds_the_app_back(run):
    if run.server in NO_BACK_PRESSURE:
        assert run.flooded == 640
        assert run.counts["finished_total /flood completed"] == 1
    else:
        assert run.flooded < 640
        ended_by = "shutdown" if run.server in NO_HANG_UP_IN_SEND else "client_disconnect"
        assert run.counts[f"finished_total /flood {ended_by}"] == 1


def test_the_metrics_port_shows_the_streams(run):
    assert 'stream_server_started_total{protocol="sse",route="/sse"} 1.0' in run.page
    assert "stream_server_recorders 1.0" in run.page


@pytest.mark.parametrize("path", ["/endless", "/sse-starlette", "/endless-socket"])
def test_streams_that_sigterm_cuts_count_as_shutdown(run, path):
    closed_as_client = path == "/endless-socket" and run.server in CLOSES_AS_CLIENT
    outcome = "client_disconnect" if closed_as_client else "shutdown"
    assert run.counts[f"finished_total {path} {outcome}"] == 1
    assert run.counts[f"finished_total {path} error"] == 0


def test_no_stream_is_active_after_the_end(run):
    assert not any(value for name, value in run.counts.items() if name.startswith("active"))


def test_a_stream_of_an_app_without_lifespan_that_sigint_cuts_counts_as_shutdown(interrupted):
    assert interrupted["finished_total /bare shutdown"] == 1


def test_sigterm_ends_the_server_as_without_the_middleware(run):
    assert run.exit == (-signal.SIGTERM if run.server.startswith("uvicorn") else 0)
