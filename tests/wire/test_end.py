"""The named end of a stream."""

import pytest

from streamgauge.wire.decoder import BodyDescription
from streamgauge.wire.end import CallbackEnd, ChunksEnd, DataEnd, EndError, EventEnd, end_test, read_end
from streamgauge.wire.formats import FORMATS


def made_test(end, protocol):
    wire_format = FORMATS[protocol]
    decoder = wire_format.decoder(BodyDescription("", 100))
    return end_test(read_end(end), decoder.parse, of_events=wire_format.has_events)


def ends(end, protocol, chunk, number=1):
    return made_test(end, protocol)(chunk, number)


def is_end(chunk):
    return True


READ = {
    "event:done": EventEnd("done"),
    "data:a:b": DataEnd("a:b"),
    "chunks:007": ChunksEnd(7),
    is_end: CallbackEnd(is_end),
    DataEnd("x"): DataEnd("x"),
    None: None,
}


@pytest.mark.parametrize(("end", "read"), READ.items(), ids=map(str, READ.values()))
def test_an_end_is_read_once(end, read):
    assert read_end(end) == read


@pytest.mark.parametrize(
    ("end", "protocol", "chunk", "is_end"),
    [
        ("event:done", "sse", b"event: done\ndata: 1", True),
        ("event:done", "sse", b"event: done!\ndata: 1", False),
        ("event:done", "sse", b"data: event: done", False),
        ("event:message", "sse", b"event: message\ndata: 1", True),
        ("data:[DONE]", "sse", b"data: [DONE]", True),
        ("data:[DONE]", "sse", b"data:[DONE]", True),
        ("data:[DONE]", "sse", b"data: [DONE] ", False),
        ("data:[DONE]", "sse", b"event: x\ndata: [DONE]", True),
        ("data:[DONE]", "sse", b": [DONE]\ndata: 1", False),
        ("data:a:b", "sse", b"data: a:b", True),
        ("data:a\nb", "sse", b"data: a\ndata: b", True),
        ("data:a\nb", "sse", b"data: a\nevent: b", False),
        ("data:\ufffd", "sse", b"data: \xff", True),
        ("event:\ufffd", "sse", b"event: \xff\ndata: 1", True),
        ("data:\ufffd", "ndjson", b"\xff", False),
        ('data:{"end":true}', "ndjson", b'{"end":true}', True),
        ('data:{"end":true}', "ndjson", b'{"end": true}', False),
        ("data:bye", "raw", b"bye", True),
        ("data:bye", "raw", b"goodbye", False),
        ("data:tschüß", "raw", "tschüß".encode(), True),
    ],
)
def test_a_chunk_is_the_end_where_it_is_exactly_what_was_named(end, protocol, chunk, is_end):
    assert ends(end, protocol, chunk) is is_end


def test_the_default_event_name_needs_no_event_field():
    assert ends("event:message", "sse", b"data: 1") is True


@pytest.mark.parametrize("protocol", ["sse", "ndjson", "raw"])
def test_enough_chunks_are_the_end(protocol):
    test = made_test("chunks:3", protocol)
    assert [test(b"1", number) for number in range(1, 6)] == [False, False, True, True, True]


def test_a_callable_sees_parsed_chunks():
    assert ends(lambda value: value["n"] == 3, "ndjson", b'{"n":3}') is True
    assert ends(lambda event: event.data == "x", "sse", b"data: y") is False
    assert ends(lambda chunk: chunk, "raw", b"") is False


@pytest.mark.parametrize(
    "end",
    [
        "",
        "done",
        "event",
        "event:",
        "data:",
        "chunks:",
        "chunks:0",
        "chunks:-1",
        "chunks:x",
        "chunks:1.5",
        "chunks:" + "9" * 5000,
        "Event:x",
        "data:\udcff",
    ],
)
def test_an_end_that_names_nothing_is_refused_by_name(end):
    with pytest.raises(EndError) as caught:
        read_end(end)
    assert str(caught.value).startswith("expected ")
    assert repr(end) in str(caught.value)
