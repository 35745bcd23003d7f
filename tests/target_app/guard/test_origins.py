"""Pages of other origins: what a browser is told, and which WebSockets it may open."""

import base64
import os

import pytest

ORIGIN = "https://pages.example"
PREFLIGHT = {"Access_Control_Request_Method": "GET", "Access_Control_Request_Headers": "X-API-Key"}


@pytest.fixture(scope="module")
def shared(start_module):
    return start_module("--cors-origin", ORIGIN, "--cors-origin", "http://localhost:3000", "--max-body-bytes", "1024")


def test_a_page_of_an_origin_that_is_named_may_read(shared, ask):
    assert ask(shared, "/stream/sse?chunks=1", Origin=ORIGIN).headers["access-control-allow-origin"] == ORIGIN


def test_a_page_may_read_why_it_was_refused(shared, ask):
    reply = ask(shared, "/v1/chat/completions", "POST", b"x" * 2000, Origin=ORIGIN)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (413, ORIGIN)


def test_a_preflight_is_answered_before_any_guard(shared, ask):
    reply = ask(shared, "/stream/sse", "OPTIONS", Origin=ORIGIN, **PREFLIGHT)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, ORIGIN)


def test_other_origins_are_told_nothing(shared, ask):
    assert (
        "access-control-allow-origin" not in ask(shared, "/stream/sse?chunks=1", Origin="https://other.example").headers
    )
    assert ask(shared, "/stream/sse", "OPTIONS", Origin="https://other.example", **PREFLIGHT).status == 400


def test_without_origins_there_is_no_cors(app, ask):
    assert "access-control-allow-origin" not in ask(app, "/stream/sse?chunks=1", Origin=ORIGIN).headers


@pytest.fixture
def shake_hands(ask):
    def send(app, **fields):
        key = base64.b64encode(os.urandom(16)).decode()
        headers = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
        return ask(app, "/stream/ws?chunks=1", Sec_WebSocket_Key=key, **headers, **fields)

    return send


@pytest.mark.parametrize(
    ("origin", "status"),
    [(None, 101), (ORIGIN, 101), ("same", 101), ("https://other.example", 403), ("null", 403), ("http://[", 403)],
    ids=["no-browser", "named", "same", "other", "null", "none"],
)
def test_a_websocket_needs_an_origin_that_is_named_or_its_own(shared, shake_hands, origin, status):
    own = f"http://{shared.address[0]}:{shared.address[1]}"
    reply = shake_hands(shared, **({} if origin is None else {"Origin": own if origin == "same" else origin}))
    assert reply.status == status


def test_a_websocket_is_refused_with_the_reason_before_its_handshake(start, shake_hands):
    app = start("--api-key", "key-0123456789abcdef")
    reply = shake_hands(app)
    assert (reply.status, reply.json()["status"]) == (401, 401)
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert shake_hands(app, X_API_Key="key-0123456789abcdef").status == 101
    labels = {"route": "/stream/ws", "protocol": "websocket", "reason": "unauthorized"}
    assert app.metric("stream_server_rejected_total", **labels) == 1
