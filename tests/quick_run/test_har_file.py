"""The streams of a recorded session."""

import base64
import json
import re

import pytest

from streamgauge.quick_run.har_file import har_session
from streamgauge.quick_run.stream_request import RequestProblem, SentMessage


def entry(url, kind="text/event-stream", at="00.000", time_ms=1000, **more):
    """One entry; ``more`` changes the request."""
    headers = [{"name": "Content-Type", "value": kind}] if kind else []
    return {
        "startedDateTime": f"2026-01-01T00:00:{at}Z",
        "time": time_ms,
        "timings": {"send": 0, "wait": 1, "receive": time_ms - 1},
        "request": {"method": "GET", "url": url, "headers": [], **more},
        "response": {"status": 200, "headers": headers, "content": {"mimeType": kind}},
    }


@pytest.fixture
def session(tmp_path):
    def read(*entries):
        (file := tmp_path / "s.har").write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
        return har_session(file)

    return read


@pytest.mark.parametrize(
    "kind", ["text/event-stream; charset=utf-8", "application/x-ndjson", "multipart/x-mixed-replace; boundary=x"]
)
def test_streams_are_taken_and_other_requests_are_left_out(session, kind):
    found = session(entry("http://a/page", "text/html"), entry("http://a/s?x=1#y", kind))
    assert [each.url for each in found.requests] == ["http://a/s?x=1"]
    assert found.recorded
    assert found.notes == ("1 of the 2 recorded requests are streams; only they are replayed",)


def test_streams_that_follow_each_other_have_a_pause_between_them(session):
    found = session(entry("http://a/1", at="05.000", time_ms=1500), entry("http://a/2", at="08.250"))
    assert [(each.begin_s, each.end_s) for each in found.requests] == [(0, 1.5), (3.25, 4.25)]
    assert not found.overlaps
    assert found.length_s == 4.25


def test_a_stream_of_unknown_length_may_overlap_with_the_next(session):
    first = entry("http://a/1")
    first["timings"]["receive"] = -1
    found = session(first, entry("http://a/2", at="09.000"))
    assert found.requests[0].end_s is None
    assert found.overlaps


def test_streams_are_replayed_in_the_order_of_their_start(session):
    found = session(entry("http://a/2", at="08.000"), entry("http://a/1", at="05.000", time_ms=9000))
    assert [each.path for each in found.requests] == ["/1", "/2"]
    assert found.overlaps


def test_the_request_is_sent_as_the_browser_sent_it(session):
    headers = [
        {"name": ":authority", "value": "a"}, {"name": "Host", "value": "a"}, {"name": "cookie", "value": "a=1"},
        {"name": "cookie", "value": "b=2"}, {"name": "Authorization", "value": "Bearer t"},
        {"name": "Content-Length", "value": "9"},
    ]  # fmt: skip
    found = session(entry("http://a/s", method="post", headers=headers, postData={"text": '{"a":1}'}))
    (request,) = found.requests
    assert (request.method, request.body) == ("POST", '{"a":1}')
    assert request.headers == (("cookie", "a=1; b=2"), ("Authorization", "Bearer t"))
    assert "recorded values of cookie and Authorization are sent again; they may have expired" in found.notes


def test_cookies_that_are_not_among_the_headers_are_sent_too(session):
    found = session(entry("http://a/s", cookies=[{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]))
    assert found.requests[0].header("cookie") == "a=1; b=2"


@pytest.mark.parametrize("unit", [1, 1000], ids=["Chromium", "Playwright"])
def test_messages_of_a_websocket_are_sent_with_their_pauses(session, unit):
    began_s = 1767225600.0
    messages = [
        {"type": "send", "time": (began_s + 0.25) * unit, "opcode": 1, "data": "hello"},
        {"type": "receive", "time": (began_s + 0.5) * unit, "opcode": 1, "data": "hi"},
        {"type": "send", "time": (began_s + 1.25) * unit, "opcode": 2, "data": base64.b64encode(b"\0").decode()},
        {"type": "receive", "time": (began_s + 1.5) * unit, "opcode": 1, "data": "hi"},
    ]
    opened = entry("https://a/ws", "") | {"_webSocketMessages": messages}
    (request,) = session(opened).requests
    assert (request.url, request.protocol, request.end) == ("wss://a/ws", "websocket", ("chunks:2",))
    assert request.messages == (SentMessage("hello", 0.25), SentMessage(b"\0", 1.0))


def test_streams_of_several_hosts_are_named_by_host_and_path(session):
    found = session(entry("http://a:1/s?x"), entry("http://b/s", at="05.000"))
    assert [each.name for each in found.requests] == ["a:1/s", "b/s"]
    same = session(entry("http://a/s"), entry("ws://a/w", "", at="05.000"))
    assert [each.name for each in same.requests] == ["", ""]


def test_a_recording_without_a_stream_is_listed(session):
    with pytest.raises(RequestProblem) as problem:
        session(
            entry("http://a", "text/html"),
            entry("http://a/j", "application/json"),
            entry("http://a/k", "application/json"),
        )
    assert "no stream among its 3 requests (application/json 2, text/html 1). A stream is a response of" in str(
        problem.value
    )


@pytest.mark.parametrize(
    ("kinds", "listed"),
    [
        ([""], "1 request (without a type 1)"),
        ([f"a/{letter}" for letter in "abcdefghijkl"], ", a/l 1)"),
        ([f"a/{letter}" for letter in "abcdefghijklm"], ", a/l 1, …)"),
    ],
    ids=["none", "twelve", "more"],
)
def test_up_to_twelve_types_are_listed(session, kinds, listed):
    with pytest.raises(RequestProblem, match=f"{re.escape(listed)}. A stream is a response of type text/event-stream"):
        session(*(entry("http://a", kind) for kind in kinds))


def test_the_type_may_stand_in_the_content_alone(session):
    found = entry("http://a/s")
    found["response"]["headers"] = [{"name": "Server", "value": "x"}]
    assert len(session(found).requests) == 1


def test_fields_that_are_repeated_are_joined_and_those_of_the_connection_are_left_out(session):
    names = ["Accept", "Keep-Alive", "TE", "Upgrade", "accept", "Transfer-Encoding", "Proxy-Connection", "Connection"]
    headers = [{"name": name, "value": str(number)} for number, name in enumerate(names)]
    (request,) = session(entry("http://a/s", headers=headers, cookies=[])).requests
    assert request.headers == (("Accept", "0, 4"),)


def test_a_body_may_be_encoded(session):
    posted = {"text": base64.b64encode(b"a\xff").decode(), "encoding": "base64"}
    assert session(entry("http://a/s", method="POST", postData=posted)).requests[0].body == b"a\xff"
    assert session(entry("http://a/s", method="POST", postData={"encoding": "base64"})).requests[0].body is None


@pytest.mark.parametrize(
    ("changed", "end_s"),
    [
        ({"timings": {"receive": None}}, None),
        ({"timings": {"receive": -1}}, None),
        ({"timings": {"receive": 0}}, 2.0),
        ({"timings": None}, 2.0),
        ({"timings": {"receive": 5}, "time": -7}, 0.0),
        ({"timings": {"receive": 5}, "time": None}, 0.0),
    ],
    ids=str,
)
def test_a_stream_ends_when_the_recording_says(session, changed, end_s):
    assert session(entry("http://a/s", time_ms=2000) | changed).requests[0].end_s == end_s


def test_a_websocket_without_messages_is_one_by_its_url_and_lasts_as_long_as_it_was_open(session):
    opened = entry("wss://a/ws#x", "", method="post", postData={"text": "x"}, time_ms=3000)
    opened["timings"]["receive"] = -1
    (request,) = session(opened).requests
    assert (request.url, request.method, request.protocol) == ("wss://a/ws", "GET", "websocket")
    assert (request.body, request.messages, request.end, request.end_s) == (None, (), (), 3.0)


def test_messages_that_overtake_each_other_have_no_pause_between_them(session):
    """Recorded times of two messages may be the wrong way round."""
    times_s = (1.0, 0.5, 1.25)
    messages = [{"type": "send", "time": 1767225600.0 + each, "opcode": 1, "data": "x"} for each in times_s]
    (request,) = session(entry("http://a/ws", "") | {"_webSocketMessages": messages}).requests
    assert request.url == "ws://a/ws"
    assert [each.pause_s for each in request.messages] == [1.0, 0.0, 0.25]


def test_the_end_of_a_websocket_is_noted(session):
    message = {"type": "receive", "time": 1767225600.0, "opcode": 1, "data": "x"}
    notes = session(entry("ws://a/w", "") | {"_webSocketMessages": [message]}).notes
    assert notes[1:] == ("a WebSocket ends after as many messages as were recorded",)
    assert session(entry("ws://a/w", "")).notes[1:] == ()


def test_a_file_that_is_not_there_says_so(tmp_path):
    with pytest.raises(RequestProblem, match=f"^--har '{tmp_path / 'x.har'}': No such file or directory$"):
        har_session(tmp_path / "x.har")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("<html>", "expected JSON, as browsers save a HAR"),
        ("{}", "expected a HAR, which has log.entries"),
        ("[]", "expected a HAR, which has log.entries"),
        ('{"log": []}', "expected a HAR, which has log.entries"),
        ('{"log": null}', "expected a HAR, which has log.entries"),
        ('{"log": {"entries": {}}}', "expected a HAR, which has log.entries"),
        ('{"log": {"entries": [1]}}', "expected a HAR, which has log.entries"),
        ('{"log": {"entries": [{"request": {}}]}}', "an entry is not as HAR 1.2 has it: KeyError"),
        ('{"log": {"entries": []}}', "no stream among its 0 requests. A stream is"),
    ],
)
def test_a_file_that_is_no_recording_says_so(tmp_path, text, problem):
    (file := tmp_path / "x.har").write_text(text)
    with pytest.raises(RequestProblem) as error:
        har_session(file)
    assert str(error.value).startswith(f"--har {str(file)!r}: ")
    assert problem in str(error.value)


@pytest.mark.parametrize(
    "changed",
    [
        {"request": {"method": "GET", "url": "http://[", "headers": []}},
        {"request": {"method": "GET IT", "url": "http://a/s", "headers": []}},
        {"request": {"method": "GET", "url": "data:x", "headers": []}},
        {"request": {"method": "GET", "url": "http://a/s", "headers": [{"name": "a", "value": 1}]}},
        {"request": {"method": "GET", "url": "http://a/s", "cookies": [{"name": "a", "value": None}]}},
        {"request": {"method": "POST", "url": "http://a/s", "postData": {"text": ["x"]}}},
        {"request": {"method": "POST", "url": "http://a/s", "postData": {"text": "\ud800"}}},
        {"time": float("nan")},
        {"time": float("inf")},
        {"time": 10**400},
        {"startedDateTime": "soon"},
        {"_webSocketMessages": [{"type": "send", "time": float("nan"), "data": "x"}]},
        {"_webSocketMessages": [{"type": "send", "time": 0, "data": 5}]},
        {"_webSocketMessages": [1]},
    ],
    ids=str,
)
def test_an_entry_of_another_shape_says_so(session, changed):
    with pytest.raises(RequestProblem, match=r"^--har '.*': an entry is not as HAR 1.2 has it: "):
        session(entry("http://a/first"), entry("http://a/s") | changed)
