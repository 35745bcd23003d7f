"""Caps, rate and body: what is refused before the first byte, and free again afterwards."""

import asyncio
import http.client
import itertools
import time

import pytest

from target_app.guard.admission import AdmissionControl, Running
from target_app.guard.rate import TokenBuckets
from target_app.settings import Settings

LONG = "/stream/sse?chunks=50&interval_ms=60000"


@pytest.fixture(params=["httptools", "h11"])
def parser(request):
    return request.param


def test_a_full_service_refuses_and_says_so_to_probes(start, ask, begin):
    app = start("--max-streams", "2")
    begin(app, LONG), begin(app, LONG)
    reply = ask(app, LONG)
    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.headers["content-type"] == "application/problem+json"
    probe = ask(app, "/readyz")
    assert (probe.status, probe.json()) == (503, {"status": "full"})
    assert ask(app, "/healthz").status == 200
    assert app.metric("stream_server_rejected_total", reason="full", route="/stream/sse") == 1


@pytest.mark.parametrize("path", [LONG, "/stream/bytes?chunks=100000&interval_ms=0"])
def test_a_cap_is_free_again_after_an_abrupt_hang_up(start, ask, begin, reset, until, parser, path):
    app = start("--http", parser, "--max-streams-per-client", "1")
    for _ in range(3):
        connection = begin(app, path)
        assert ask(app, LONG).status == 429
        reset(connection)
        until(lambda: ask(app, "/stream/sse?chunks=1&interval_ms=0").status == 200)
    assert app.metric("stream_server_rejected_total", reason="client_full") >= 3


def test_a_cap_is_free_again_after_an_error(start, ask):
    app = start("--max-streams-per-client", "1")
    for _ in range(3):
        assert ask(app, "/stream/sse?chunks=0").status == 422
        assert ask(app, "/nothing").status == 404


def test_the_cap_counts_the_streams_of_all_workers(start, ask, begin, reset, until):
    app = start("--max-streams", "6", "--workers", "2")
    connections = [begin(app, LONG) for _ in range(6)]
    assert {ask(app, LONG).status for _ in range(8)} == {503}
    for connection in connections:
        reset(connection)
    until(lambda: ask(app, "/stream/sse?chunks=1").status == 200)


def test_each_client_has_a_cap_of_its_own_behind_a_proxy_that_is_trusted(start, ask, begin):
    app = start("--max-streams-per-client", "1", "--trusted-proxy", "127.0.0.0/8")
    begin(app, LONG, fields=b"X-Forwarded-For: 192.0.2.1\r\n")
    assert ask(app, LONG, X_Forwarded_For="192.0.2.1").status == 429
    assert ask(app, "/stream/sse?chunks=1", X_Forwarded_For="192.0.2.2").status == 200


def test_nobody_else_can_say_who_the_client_is(start, ask, begin):
    app = start("--max-streams-per-client", "1")
    begin(app, LONG)
    assert ask(app, LONG, X_Forwarded_For="192.0.2.1").status == 429


def test_streams_begin_no_faster_than_the_rate(start, ask):
    app, began_s = start("--starts-per-s", "0.001", "--start-burst", "3"), time.monotonic()
    replies = [ask(app, "/stream/sse?chunks=1") for _ in range(5)]
    assert [reply.status for reply in replies] == [200, 200, 200, 429, 429]
    assert 1000 - (time.monotonic() - began_s) <= int(replies[-1].headers["retry-after"]) <= 1000
    assert app.metric("stream_server_rejected_total", reason="rate_limit") == 2


#: What starts no stream, and so costs no token. A path that there is not is one of them.
FREE = [
    ("/healthz", "GET", {}),
    ("/readyz", "GET", {}),
    ("/", "GET", {}),
    ("/docs", "GET", {}),
    ("/stream/sse?chunks=1", "HEAD", {}),
    ("/stream/file/river.txt", "HEAD", {}),
    ("/stream/sse", "OPTIONS", {"Origin": "https://a.example", "Access_Control_Request_Method": "GET"}),
    ("/stream/sse", "OPTIONS", {}),
    ("/stream/file/river.txt", "GET", {"If_None_Match": "*"}),
    ("/stream/file/river.txt", "GET", {"If_Match": '"other"'}),
    ("/stream/file/river.txt", "GET", {"Range": "bytes=99999999-"}),
    ("/stream/sse?chunks=1", "GET", {"Last_Event_ID": "1"}),
    ("/stream/sse?chunks=0", "GET", {}),
    ("/stream/sse/", "GET", {}),
    ("/stream/ws", "GET", {}),
    ("/nothing", "GET", {}),
]


@pytest.fixture(scope="module")
def frugal(start_module):
    """Lets one stream start, and the next one after a thousand seconds."""
    options = ("--starts-per-s", "0.001", "--start-burst", "1", "--cors-origin", "https://a.example")
    return start_module(*options, "--trusted-proxy", "127.0.0.1")


@pytest.mark.parametrize(("path", "method", "fields"), FREE)
def test_what_starts_no_stream_costs_no_token(frugal, ask, path, method, fields):
    client = f"192.0.2.{FREE.index((path, method, fields)) + 1}"
    for _ in range(3):
        assert ask(frugal, path, method, X_Forwarded_For=client, **fields).status != 429
    statuses = [ask(frugal, "/stream/sse?chunks=1", X_Forwarded_For=client).status for _ in range(2)]
    assert statuses == [200, 429]


@pytest.mark.parametrize(("path", "method", "fields"), [each for each in FREE if each[1] in ("HEAD", "OPTIONS")])
def test_a_question_about_a_stream_is_answered_without_a_token(frugal, ask, path, method, fields):
    client = "192.0.2.200"
    ask(frugal, "/stream/sse?chunks=1", X_Forwarded_For=client)
    assert ask(frugal, "/stream/sse?chunks=1", X_Forwarded_For=client).status == 429
    assert ask(frugal, path, method, X_Forwarded_For=client, **fields).status in (200, 405)


def test_a_token_goes_back_up_to_the_burst_and_to_nobody_who_was_forgotten():
    buckets = TokenBuckets(1.0, burst=2, clients=1, clock=lambda: 0.0)
    buckets.take("a")
    for _ in range(3):
        buckets.give_back("a")
    assert [buckets.take("a") for _ in range(3)] == [0, 0, 1]
    buckets.take("b")
    buckets.give_back("a")
    assert len(buckets._buckets) == 1


def test_a_bucket_refills_at_its_rate_up_to_its_burst():
    now_s = [0.0]
    buckets = TokenBuckets(2.0, burst=3, clock=lambda: now_s[0])
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]
    now_s[0] = 0.5
    assert [buckets.take("a") for _ in range(2)] == [0, 0.5]
    now_s[0] = 100.0
    assert [buckets.take("a") for _ in range(4)] == [0, 0, 0, 0.5]


def test_made_up_clients_take_no_more_memory_than_so_many():
    buckets = TokenBuckets(1.0, burst=1, clients=100, clock=itertools.count().__next__)
    for number in range(1000):
        buckets.take(f"client {number}")
    assert len(buckets._buckets) == 100


def test_the_client_that_was_unseen_for_longest_is_forgotten_first():
    buckets = TokenBuckets(1.0, burst=1, clients=2, clock=lambda: 0.0)
    assert [buckets.take(client) for client in "abac"] == [0, 0, 1, 0]
    assert [buckets.take(client) for client in "acb"] == [1, 1, 0]


def test_a_body_that_announces_too_much_is_refused_unread(start, ask):
    app = start("--max-body-bytes", "1024")
    reply = ask(app, "/v1/chat/completions", "POST", b"x" * 1025)
    assert (reply.status, reply.headers["content-type"]) == (413, "application/problem+json")
    assert ask(app, "/v1/chat/completions", "POST", b"x" * 1024).status == 400
    assert app.metric("stream_server_rejected_total", reason="body_too_large") == 1


def test_a_body_of_unknown_length_is_refused_where_it_passes_the_limit(start, parser):
    app = start("--max-body-bytes", "1024", "--http", parser)
    connection = http.client.HTTPConnection(*app.address, timeout=60)
    body = iter([b"x" * 600, b"x" * 600])
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers, encode_chunked=True)
    answer = connection.getresponse()
    assert (answer.status, answer.headers["Content-Type"]) == (413, "application/problem+json")
    connection.close()
    assert app.metric("stream_server_rejected_total", reason="body_too_large") == 1


def test_a_body_of_unknown_length_may_be_as_large_as_the_limit(start):
    app = start("--max-body-bytes", "1024")
    connection = http.client.HTTPConnection(*app.address, timeout=60)
    headers = {"Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", iter([b"x" * 1000, b"x" * 24]), headers, encode_chunked=True)
    assert connection.getresponse().status == 400  # it was read whole, and is no JSON
    connection.close()


def test_a_stream_that_is_too_long_is_cut_where_it_cannot_end_itself(start, refuse_reading, until):
    app = start("--max-stream-s", "1")
    refuse_reading(app, 3)
    until(lambda: app.metric("stream_server_finished_total", outcome="deadline") == 3)
    until(lambda: app.metric("stream_server_active") == 0)


def test_a_stream_has_time_for_its_last_chunk_after_the_loop_was_blocked(virtually, monkeypatch):
    cut = []
    monkeypatch.setattr(Running, "abort", lambda _, outcome: cut.append(outcome))

    async def scenario():
        loop = asyncio.get_running_loop()
        on_time = loop.time
        with AdmissionControl(Settings(max_stream_s=1)).admitted({"type": "http"}, "client"):
            loop.time = lambda: on_time() + 10
            await asyncio.sleep(0.5)
            assert not cut
            await asyncio.sleep(1)
        assert cut == ["deadline"]

    virtually(scenario())


def test_a_load_test_from_one_address_goes_through_as_the_app_comes(app, begin):
    assert len([begin(app) for _ in range(150)]) == 150
