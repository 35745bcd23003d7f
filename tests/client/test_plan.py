"""Plans and requests: what cannot be carried out is refused when it is made."""

import pytest

from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request, RequestError, body_of, merged
from streamgauge.client.plan import Limits, PlanError, StreamPlan, format_named
from streamgauge.wire.formats import AUTO, FORMATS
from streamgauge.wire.http1_head import parse_head
from streamgauge.wire.ndjson import NDJSON
from streamgauge.wire.rules import read_chunk, read_end, read_error
from streamgauge.wire.sequence import EventId
from streamgauge.wire.sse import SSE

TARGET = target_of("http://a:81/b?c")
GET = Request("GET", TARGET, {})


@pytest.mark.parametrize("name", ["first_chunk_timeout_s", "idle_timeout_s", "total_timeout_s", "max_chunk_bytes"])
@pytest.mark.parametrize("value", [0, -1.5, float("nan")])
def test_a_limit_is_above_zero(name, value):
    with pytest.raises(PlanError, match=f"{name}: expected more than 0, got {value!r}"):
        Limits(**{name: value})


@pytest.mark.parametrize("name", ["stall_threshold_s", "max_chunk_bytes"])
def test_a_limit_that_no_stream_is_without_is_not_none(name):
    with pytest.raises(PlanError, match=f"{name}: expected a number, got None"):
        Limits(**{name: None})


@pytest.mark.parametrize("name", Limits.__slots__)
def test_a_limit_is_finite(name):
    with pytest.raises(PlanError, match=f"{name}: expected a finite number.*, got inf"):
        Limits(**{name: float("inf")})


def test_no_limit_is_a_limit_too():
    assert Limits(None, None, None).idle_timeout_s is None


def test_a_protocol_is_one_of_the_formats():
    names = "auto, sse, ndjson, raw, websocket, openai, openai-responses, anthropic, gemini, ollama, multipart"
    with pytest.raises(PlanError, match=f"^protocol: expected one of {names}, got 'smtp'$"):
        format_named("smtp")
    assert format_named("ndjson") is NDJSON


TOKENS = ("openai", "openai-responses", "anthropic", "gemini")
REFUSED = {
    "end: 'event:done' names an SSE event": ({"end": read_end("event:done")}, {"auto", "sse", *TOKENS}),
    "error: 'event:off' names an SSE event": ({"error": read_error("event:off")}, {"auto", "sse", *TOKENS}),
    "chunk: 'event:a' names an SSE event": ({"chunk": read_chunk("not event:a")}, {"auto", "sse", *TOKENS}),
    "sequence: 'id' is an SSE event's": ({"sequence": EventId()}, {"auto", "sse", *TOKENS}),
    "reconnect: only event streams are connected to again": ({"reconnect": 1}, {"auto", "sse"}),
}


@pytest.mark.parametrize(("problem", "options", "able"), [(key, *value) for key, value in REFUSED.items()], ids=REFUSED)
@pytest.mark.parametrize("name", FORMATS)
def test_a_plan_that_its_format_cannot_carry_out_is_refused(problem, options, able, name):
    if name in able:
        StreamPlan("a", GET, FORMATS[name], **options)
        return
    with pytest.raises(PlanError, match=f"^{problem}, and the protocol is {name}$"):
        StreamPlan("a", GET, FORMATS[name], **options)


EVENTS, LINES = "text/event-stream", "application/x-ndjson"
NOT_EVENTS = f"expected a content type of sse, got {LINES!r}"
FITTING = {
    "an end by an event": ({"end": read_end("event:done")}, {EVENTS: "", LINES: NOT_EVENTS}),
    "numbers that are ids": ({"sequence": EventId()}, {EVENTS: "", LINES: NOT_EVENTS}),
    "reconnecting": ({"reconnect": 1}, {EVENTS: "", LINES: NOT_EVENTS}),
    "an end by a text": ({"end": read_end("data:x")}, {EVENTS: "", LINES: "", "": ""}),
    "lines": (
        {"format": NDJSON, "end": read_end("data:x")},
        {EVENTS: f"expected a content type of ndjson, got {EVENTS!r}", LINES: ""},
    ),
    "events": ({"format": SSE}, {EVENTS: "", "": "expected a content type of sse, got ''"}),
}


@pytest.mark.parametrize(("options", "refusals"), FITTING.values(), ids=FITTING)
def test_what_a_plan_asks_for_says_which_content_types_are_its_stream(options, refusals):
    plan = StreamPlan("a", GET, **options)
    heads = {each: parse_head(b"HTTP/1.1 200 OK\r\ncontent-type: " + each.encode()) for each in refusals}
    assert {each: plan.refusal(head) for each, head in heads.items()} == refusals


def test_a_connection_that_may_break_off_goes_on_with_200_alone():
    partial = parse_head(b"HTTP/1.1 206 Partial Content\r\ncontent-type: text/event-stream")
    assert StreamPlan("a", GET, AUTO, reconnect=1).refusal(partial) == "status 206 Partial Content"
    assert StreamPlan("a", GET, AUTO).refusal(partial) == ""


def test_of_fields_that_differ_in_case_alone_the_last_one_is_sent():
    headers = merged({"Accept": "a", "X-A": "1"}, None, {"accept": "b"}, {"ACCEPT": "c", "x-b": "2"})
    assert headers == {"ACCEPT": "c", "X-A": "1", "x-b": "2"}
    assert Request("GET", TARGET, merged({"X-A": "1", "x-a": "2"})).encode().lower().count(b"x-a: ") == 1


def test_a_request_on_the_wire():
    request = Request("POST", TARGET, {"X-A": "b"}, b"body")
    assert request.encode() == b"POST /b?c HTTP/1.1\r\nHost: a:81\r\nX-A: b\r\nContent-Length: 4\r\n\r\nbody"


@pytest.mark.parametrize(("method", "line"), [("POST", b"Content-Length: 0"), ("GET", None), ("DELETE", None)])
def test_only_methods_that_have_a_body_say_that_it_is_empty(method, line):
    assert (b"content-length" in Request(method, TARGET, {}).encode().lower()) is (line is not None)


@pytest.mark.parametrize(("name", "value"), [("HOST", "x"), ("content-LENGTH", "7")])
def test_a_field_that_is_given_replaces_ours(name, value):
    encoded = Request("POST", TARGET, {name: value}, b"body").encode().lower()
    assert encoded.count(f"{name}: ".lower().encode()) == 1
    assert f"{name}: {value}".lower().encode() in encoded


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET /", {}),
        ("", {}),
        ("GET", {"A B": "c"}),
        ("GET", {"": "c"}),
        ("GET", {"A": "b\r\nC: d"}),
        ("GET", {"A": "b\n"}),
        ("GET", {"A": "b\x00"}),
        ("GET", {"A": "世"}),
        ("POST", {"transfer-Encoding": "chunked"}),
    ],
)
def test_a_request_that_would_be_another_one_is_refused(method, headers):
    with pytest.raises(RequestError):
        Request(method, TARGET, headers)


def test_a_body_is_json_or_data():
    assert body_of({"a": 1}, None) == (b'{"a":1}', {"Content-Type": "application/json"})
    assert body_of(None, "ü") == ("ü".encode(), {})
    assert body_of(None, None) == (b"", {})
    with pytest.raises(RequestError, match="not both"):
        body_of({}, b"")


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        *((method, b"", b"0") for method in ("POST", "PUT", "PATCH")),
        *((method, b"", None) for method in ("GET", "HEAD", "DELETE", "OPTIONS")),
        *((method, b"hi", b"2") for method in ("POST", "GET", "DELETE")),
    ],
)
def test_a_request_gives_the_length_of_its_body_where_its_method_has_one(method, body, length):
    """RFC 9110, section 8.6: 0 where the method anticipates a body and there is none."""
    head, _, sent = Request(method, TARGET, {}, body).encode().partition(b"\r\n\r\n")
    fields = dict(line.split(b": ") for line in head.split(b"\r\n")[1:])
    assert fields.get(b"Content-Length") == length
    assert sent == body
