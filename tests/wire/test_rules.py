"""Rules on frames: how scenarios spell them, which frames they match, and what guards them."""

import pytest

from streamgauge.wire.decoder import BodyDescription
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.frame import Frame
from streamgauge.wire.rules import (
    OFF,
    Always,
    Callback,
    ChunkCount,
    DataIs,
    EventIs,
    JsonHas,
    RuleError,
    Rules,
    read_chunk,
    read_end,
    read_error,
)


def frame(protocol, content):
    return Frame(content, FORMATS[protocol].decoder(BodyDescription("multipart/mixed; boundary=x", 100)))


def matches(named, protocol, content, read=read_end):
    return read(named).match(frame(protocol, content)) is not None


def is_end(chunk):
    return True


READ = {
    "event:done": Rules((EventIs("done"),)),
    "data:a:b": Rules((DataIs("a:b"),)),
    "chunks:007": Rules((ChunkCount(7),)),
    "json:done": Rules((JsonHas(("done",)),)),
    "json:choices.0.finish_reason=stop": Rules((JsonHas(("choices", "0", "finish_reason"), "stop"),)),
    "json:a==": Rules((JsonHas(("a",), "="),)),
    "not event:ping": Rules((Always(),), (EventIs("ping"),)),
    is_end: Rules((Callback(is_end),)),
    ("event:a", is_end, "not json:b"): Rules((EventIs("a"), Callback(is_end)), (JsonHas(("b",)),)),
    Rules((DataIs("x"),)): Rules((DataIs("x"),)),
    "off": OFF,
    False: OFF,
    None: None,
}


@pytest.mark.parametrize(("named", "rules"), READ.items(), ids=map(str, READ.values()))
def test_a_rule_is_read_once(named, rules):
    assert read_end(named) == rules


def test_any_frame_can_be_a_chunk_and_only_ends_and_errors_can_be_off():
    assert read_chunk("any") == Rules((Always(),))
    assert read_error("off") is read_error(False) is OFF
    for read, named in ((read_chunk, "off"), (read_chunk, False), (read_end, "any"), (read_error, True)):
        with pytest.raises(RuleError):
            read(named)


MATCHES = [
    ("event:done", "sse", b"event: done\ndata: 1", True),
    ("event:done", "sse", b"event: done!\ndata: 1", False),
    ("event:done", "sse", b"data: event: done", False),
    ("event:message", "sse", b"event: message\ndata: 1", True),
    ("event:message", "sse", b"data: 1", True),
    ("event:done", "openai", b'event: done\ndata: {"a":1}', True),
    ("event:\ufffd", "sse", b"event: \xff\ndata: 1", True),
    ("data:[DONE]", "sse", b"data: [DONE]", True),
    ("data:[DONE]", "sse", b"data:[DONE]", True),
    ("data:[DONE]", "sse", b"data: [DONE] ", False),
    ("data:[DONE]", "sse", b"event: x\ndata: [DONE]", True),
    ("data:[DONE]", "sse", b": [DONE]\ndata: 1", False),
    ("data:a:b", "sse", b"data: a:b", True),
    ("data:a\nb", "sse", b"data: a\ndata: b", True),
    ("data:a\nb", "sse", b"data: a\nevent: b", False),
    ("data:\ufffd", "sse", b"data: \xff", True),
    ("data:\ufffd", "ndjson", b"\xff", False),
    ('data:{"end":true}', "ndjson", b'{"end":true}', True),
    ('data:{"end":true}', "ndjson", b'{"end": true}', False),
    ("data:bye", "raw", b"bye", True),
    ("data:bye", "websocket", b"goodbye", False),
    ("data:tschüß", "raw", "tschüß".encode(), True),
    ("json:done", "ndjson", b'{"done":true}', True),
    ("json:done", "ndjson", b'{"done":false}', False),
    ("json:done", "ndjson", b'{"done":null}', False),
    ("json:done", "ndjson", b'{"done":0}', True),
    ("json:done", "ndjson", b'{"done":""}', True),
    ("json:done", "ndjson", b'{"undone":1}', False),
    ("json:done", "ndjson", b'["done"]', False),
    ("json:done", "ndjson", b"done", False),
    ("json:done", "ndjson", b"[" * 5000 + b'"done"', False),
    ("json:done", "sse", b'event: x\ndata: {"done":true}', True),
    ("json:done", "sse", b'data: {\ndata: "done":true}', True),
    ("json:done", "websocket", b'{"done":true}', True),
    ("json:done", "multipart", b'{"done":true}', True),
    ("json:done", "raw", b'{"done":true}\n', True),
    ("json:done", "raw", b'\xff{"done":true}', False),
    ("json:done=true", "ndjson", b'{"done":true}', True),
    ("json:done=true", "ndjson", b'{"done":"true"}', True),
    ("json:done=true", "ndjson", b'{"done":1}', False),
    ("json:done=1", "ndjson", b'{"done":true}', False),
    ("json:done=1", "ndjson", b'{"done":1.0}', True),
    ("json:done=null", "ndjson", b'{"done":null}', True),
    ("json:done=null", "ndjson", b"{}", False),
    ("json:type=message_stop", "ndjson", b'{"type":"message_stop"}', True),
    ("json:type=stop", "ndjson", b'{"type":"message_stop"}', False),
    ("json:a.b.c", "ndjson", b'{"a":{"b":{"c":1}}}', True),
    ("json:a.b.c", "ndjson", b'{"a":{"b":3}}', False),
    ("json:choices.0.finish_reason", "openai", b'data: {"choices":[{"finish_reason":"stop"}]}', True),
    ("json:choices.0.finish_reason", "openai", b'data: {"choices":[{"finish_reason":null}]}', False),
    ("json:choices.0.finish_reason", "openai", b'data: {"choices":[]}', False),
    ("json:choices.0.finish_reason", "openai", b"data: [DONE]", False),
    ("json:0", "ndjson", b'{"0":1}', True),
    ("json:x", "ndjson", b'{"\\u0078":1}', False),  # a name that needs no escape has none
    ("json:\u00e9", "ndjson", b'{"\\u00e9":1}', True),
    ("not event:ping", "sse", b"event: ping\ndata: 1", False),
    ("not event:ping", "sse", b"data: 1", True),
    (["event:a", "event:b"], "sse", b"event: b\ndata: 1", True),
    (["not event:a", "not event:b"], "sse", b"event: b\ndata: 1", False),
    (["not event:a", "not event:b"], "sse", b"event: c\ndata: 1", True),
    (["json:n", "not json:ping"], "ndjson", b'{"n":1,"ping":1}', False),
    (["json:n", "not json:ping"], "ndjson", b'{"m":1}', False),
    (lambda value: value["n"] == 3, "ndjson", b'{"n":3}', True),
    (lambda event: event.data == "x", "sse", b"data: y", False),
    (lambda frame: frame == "[DONE]", "openai", b"data: [DONE]", True),
    (lambda chunk: chunk, "raw", b"", False),
    ("chunks:1", "sse", b"data: 1", False),
]


@pytest.mark.parametrize(("named", "protocol", "content", "expected"), MATCHES)
def test_a_rule_matches_frames(named, protocol, content, expected):
    rules = read_end(named)
    guards = rules.guards
    guarded = guards is not None and not any(guard in content for guard in guards)
    found = rules.usually if guarded else rules.match(frame(protocol, content)) is not None
    assert found is expected


GUARDS = {
    "event:done": (b"done",),
    "event:message": None,
    "data:a\nb": None,
    "data:\ufffd": None,
    "json:choices.0.finish_reason": (b"finish_reason",),
    "json:0": None,
    "json:a/b": None,
    "not event:ping": (b"ping",),
    ("event:a", "data:b"): (b"a", b"b"),
    ("event:a", is_end): None,
    "chunks:3": (),
    "off": (),
}


@pytest.mark.parametrize(("named", "guards"), GUARDS.items(), ids=map(str, GUARDS))
def test_frames_without_a_guard_need_not_be_parsed(named, guards):
    assert read_end(named).guards == guards


def test_a_number_of_chunks_can_stand_beside_other_ends():
    assert (read_end(["chunks:9", "chunks:3", "event:done"]).count, read_end("event:done").count) == (3, None)


@pytest.mark.parametrize(
    "named",
    [
        "",
        "done",
        "event",
        "event:",
        "data:",
        "json:",
        "json:=1",
        "json:a..b",
        "json:.a",
        "chunks:",
        "chunks:0",
        "chunks:-1",
        "chunks:x",
        "chunks:1.5",
        "chunks:" + "9" * 5000,
        "Event:x",
        "data:\udcff",
        "not",
        "not done",
        "not chunks:3",
        "not not event:x",
        "any",
        "off:x",
        ":x",
    ],
)
def test_a_text_that_is_no_rule_is_refused_by_its_value(named):
    with pytest.raises(RuleError, match=r"^expected ") as caught:
        read_end(named)
    assert repr(named) in str(caught.value)
    with pytest.raises(RuleError, match=r"^expected "):
        read_end(["event:done", named])


@pytest.mark.parametrize("read", [read_end, read_error, read_chunk])
@pytest.mark.parametrize("named", [[], True, [3], 3.5, ["off", "event:x"]])
def test_a_value_that_is_no_rule_is_refused(read, named):
    with pytest.raises(RuleError):
        read(named)


def test_an_error_and_a_chunk_cannot_be_a_number_of_chunks():
    for read in (read_error, read_chunk):
        with pytest.raises(RuleError, match="got 'chunks:3'"):
            read("chunks:3")


SAID = [
    ("event:error", "sse", b"event: error\ndata: too\ndata: hot", "too\nhot"),
    ("json:error", "ndjson", b'{"error":{"message":"too hot","code":5}}', "too hot"),
    ("json:error", "ndjson", b'{"error":{"code":5}}', '{"code": 5}'),
    ("json:error", "ndjson", b'{"error":true}', "true"),
    ("json:status=failed", "ndjson", b'{"status":"failed"}', '{"status":"failed"}'),
    (lambda value: f"heat {value}", "ndjson", b"99", "heat 99"),
    (lambda value: value > 50, "ndjson", b"99", "99"),
    ("not json:ok", "ndjson", b'{"a":1}', '{"a":1}'),
]


@pytest.mark.parametrize(("named", "protocol", "content", "said"), SAID)
def test_an_error_is_told_in_the_streams_own_words(named, protocol, content, said):
    found = frame(protocol, content)
    assert read_error(named).match(found).said(found) == said
