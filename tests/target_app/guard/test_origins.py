"""Pages of other origins: what a browser is told, and which WebSockets it may open."""

import base64
import logging
import os
from unittest.mock import patch

import pytest

from target_app.guard.origin import Origins

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


#: What client libraries and browsers' own features send beside the request's own fields.
SENT = {
    "a key": ("/stream/sse", "GET", "authorization"),
    "OpenAI's SDK": ("/v1/chat/completions", "POST", "authorization,content-type,openai-beta,x-stainless-retry-count"),
    "an EventSource of one's own": ("/stream/sse", "GET", "cache-control,last-event-id"),
    "a download that goes on": ("/stream/file/river.txt", "GET", "if-range,range"),
    "a revalidation": ("/stream/file/river.txt", "HEAD", "if-none-match"),
    "a tracer": ("/stream/sse", "GET", "baggage,traceparent,tracestate"),
    "MCP": ("/stream/sse", "GET", "mcp-protocol-version,mcp-session-id"),
    "streamgauge": ("/stream/sse", "GET", "streamgauge-stamps"),
    "a field that nobody knows": ("/stream/sse", "GET", "x-of-tomorrow"),
}


@pytest.mark.parametrize("who", SENT)
def test_a_page_may_send_whatever_fields_its_libraries_add(shared, ask, who):
    path, method, fields = SENT[who]
    asked = {"Access_Control_Request_Method": method, "Access_Control_Request_Headers": fields}
    reply = ask(shared, path, "OPTIONS", Origin=ORIGIN, **asked)
    assert (reply.status, reply.headers["access-control-allow-headers"]) == (200, fields)
    assert method in reply.headers["access-control-allow-methods"].split(", ")


#: Browsers show these of any response (https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name).
ALWAYS_SHOWN = {"cache-control", "content-language", "content-length", "content-type", "expires", "last-modified"}
OF_THE_CONNECTION = {"date", "server", "transfer-encoding", "connection", "x-accel-buffering", "x-content-type-options"}


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/stream/file/river.txt?chunks=1", {"Range": "bytes=0-1"}),
        ("/stream/sse?chunks=1", {"Accept_Encoding": "br", "Streamgauge_Stamps": "1"}),
        ("/v1/chat/completions", {}),
    ],
)
def test_a_page_may_read_what_the_service_says(shared, ask, path, fields):
    """By name too: a browser that is older than the * takes it for a name."""
    reply = ask(shared, path, Origin=ORIGIN, **fields)
    shown = reply.headers["access-control-expose-headers"].lower().split(", ")
    sent = {name for name in reply.headers if not name.startswith("access-control-")}
    assert "*" in shown
    assert sent - ALWAYS_SHOWN - OF_THE_CONNECTION - {"allow"} <= set(shown)


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


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ({"Host": "gauge.example", "Origin": "https://gauge.example"}, 101),
        ({"Host": "gauge.example:443", "Origin": "https://gauge.example"}, 101),
        ({"Host": "GAUGE.example", "Origin": "https://gauge.example:8443"}, 101),
        ({"Host": "gauge.example:8443", "Origin": "https://gauge.example"}, 403),
        ({"Host": "other.example", "Origin": "https://gauge.example"}, 403),
        ({"Host": "app", "X_Forwarded_Host": "a, gauge.example:8443", "Origin": "https://gauge.example:8443"}, 101),
        ({"Host": "app", "Forwarded": 'for=192.0.2.1;Host="gauge.example"', "Origin": "https://gauge.example"}, 101),
        ({"Host": "app", "X_Forwarded_Host": "gauge.example:1", "Origin": "https://gauge.example:2"}, 403),
        ({"Host": "app", "X_Forwarded_Host": "gauge.example:port", "Origin": "https://gauge.example"}, 403),
        ({"Host": "app", "Sec_Fetch_Site": "same-origin", "Origin": "https://gauge.example"}, 101),
        ({"Host": "app", "Sec_Fetch_Site": "same-site", "Origin": "https://gauge.example"}, 403),
    ],
    ids=lambda each: str(each),
)
def test_a_page_behind_a_proxy_is_the_services_own(app, shake_hands, sent, status):
    assert shake_hands(app, **sent).status == status


def handshake(origin):
    return {"type": "websocket", "headers": [(b"host", b"app:8000"), (b"origin", origin.encode())]}


@pytest.fixture
def logged(caplog):
    """What the app logs, also where uvicorn has set its logger up not to pass it on."""
    logger = logging.getLogger("uvicorn.error")
    with patch.multiple(logger, handlers=[caplog.handler], propagate=False, level=logging.WARNING):
        logger.disabled = False
        yield caplog


def test_a_page_that_is_refused_is_logged_once_with_the_remedy(logged):
    origins = Origins([])
    for _ in range(2):
        assert not origins.allow(handshake("https://gauge.example"))
    (line,) = logged.messages
    assert all(each in line for each in ("'https://gauge.example'", "'app:8000'", "Host", "--cors-origin"))


def test_made_up_origins_do_not_fill_the_log(logged):
    origins = Origins([])
    for number in range(300):
        origins.allow(handshake(f"https://{number}.example"))
    assert len(logged.messages) == 100


def test_a_websocket_is_refused_with_the_reason_before_its_handshake(start, shake_hands):
    app = start("--api-key", "key-0123456789abcdef")
    reply = shake_hands(app)
    assert (reply.status, reply.json()["status"]) == (401, 401)
    assert reply.headers["www-authenticate"].startswith("Bearer")
    assert shake_hands(app, X_API_Key="key-0123456789abcdef").status == 101
    labels = {"route": "/stream/ws", "protocol": "websocket", "reason": "unauthorized"}
    assert app.metric("stream_server_rejected_total", **labels) == 1
