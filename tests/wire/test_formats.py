"""The wire formats: which content types they are read from, and which decoder they make."""

import pytest

from streamgauge.catalog import PROTOCOL_BY_MEDIA_TYPE, RAW_PROTOCOL, protocol_of
from streamgauge.media_types import effective_type, media_type
from streamgauge.wire.anthropic import ANTHROPIC, MessagesDecoder
from streamgauge.wire.decoder import BodyDescription
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.formats import AUTO, FORMATS, resolve
from streamgauge.wire.gemini import GEMINI, GeminiDecoder
from streamgauge.wire.multipart import MULTIPART, MultipartDecoder
from streamgauge.wire.ndjson import NDJSON, NdjsonDecoder
from streamgauge.wire.ollama import OLLAMA, OllamaDecoder
from streamgauge.wire.openai import OPENAI, OpenAiDecoder
from streamgauge.wire.openai_responses import RESPONSES, ResponsesDecoder
from streamgauge.wire.raw import RAW, RawDecoder
from streamgauge.wire.sse import SSE, ResumableSseDecoder, SseDecoder
from streamgauge.wire.websocket import WEBSOCKET


@pytest.mark.parametrize(
    ("content_type", "protocol"),
    [
        ("text/event-stream", "sse"),
        ("text/event-stream; charset=utf-8", "sse"),
        ("Text/Event-Stream;charset=UTF-8", "sse"),
        (" text/event-stream ", "sse"),
        ("application/x-ndjson", "ndjson"),
        ("application/jsonl", "ndjson"),
        ("application/x-ndjson;x=y", "ndjson"),
        ("application/stream+json", "ndjson"),
        ("multipart/mixed; boundary=b", "multipart"),
        ("Multipart/X-Mixed-Replace; boundary=b", "multipart"),
        ("multipart/byteranges; boundary=b", "multipart"),
        ("multipart/Related; boundary=b", "multipart"),
        ("text/multipart", "raw"),
        ("multipart", "raw"),
        ("application/json", "raw"),
        ("text/plain", "raw"),
        ("text/event-streams", "raw"),
        ("application/octet-stream", "raw"),
        ("", "raw"),
    ],
)
def test_a_content_type_chooses_its_format(content_type, protocol):
    assert protocol_of(content_type) == protocol
    assert resolve(AUTO, content_type) is FORMATS[protocol]
    assert FORMATS[protocol].fits(content_type)


def test_only_auto_is_settled_by_the_response():
    assert resolve(RAW, "text/event-stream") is RAW
    assert resolve(OPENAI, "text/event-stream") is OPENAI


def test_all_can_be_read_as_raw_and_nothing_else_as_what_it_is_not():
    assert RAW.fits("text/event-stream")
    assert not SSE.fits("application/x-ndjson")
    assert not NDJSON.fits("text/html")
    assert not SSE.fits("")
    assert not SSE.fits("text/plain")
    assert not MULTIPART.fits("text/html")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "text/plain", "application/octet-stream", ""])
def test_lines_may_come_under_types_that_say_nothing_of_them(kind):
    assert NDJSON.fits(kind)
    assert resolve(AUTO, kind) is RAW, "only if the scenario names the format"


@pytest.mark.parametrize(
    ("listed", "kind"),
    [
        ("application/json, text/event-stream; charset=utf-8", "text/event-stream"),
        ("application/json,text/event-stream", "text/event-stream"),
        ("text/event-stream, text/html", "text/html"),
        ("text/event-stream, */*", "text/event-stream"),
        ("text/event-stream, utf-8,", "text/event-stream"),
        ('text/plain; a="b, text/html", text/event-stream', "text/event-stream"),
        ('text/event-stream; a=", text/html', "text/event-stream"),
        ("text/event-stream, text/html\xa0", "text/event-stream"),
        ("utf-8, 1", "utf-8, 1"),
    ],
)
def test_of_several_types_the_last_valid_one_counts(listed, kind):
    """WHATWG Fetch section 2.2.2, "extract a MIME type"."""
    assert media_type(listed) == kind


def test_the_parameters_are_those_of_the_type_that_counts():
    assert effective_type('multipart/mixed; boundary=a, multipart/mixed; boundary="b,c"').strip().endswith('="b,c"')


def test_token_streams_are_event_streams_when_asked_for():
    assert OPENAI.fits("text/event-stream; charset=utf-8")
    assert OPENAI.fits("")
    assert not OPENAI.fits("application/json")


def test_a_websocket_has_no_content_type():
    assert WEBSOCKET.fits("")


def test_media_types_lose_their_parameters():
    assert media_type("Text/HTML ; charset=x; y=z") == "text/html"


def test_every_label_of_the_catalog_is_that_of_a_format():
    assert {*PROTOCOL_BY_MEDIA_TYPE.values(), RAW_PROTOCOL} <= set(FORMATS)
    assert {each.media for each in FORMATS.values()} - {None} == set(PROTOCOL_BY_MEDIA_TYPE.values())


#: As they are on the wire and in Locust's tables.
DECLARED = {
    "auto": ("STREAM", "text/event-stream, application/x-ndjson, application/jsonl, multipart/*;q=0.9, */*;q=0.1"),
    "sse": ("SSE", "text/event-stream"),
    "ndjson": ("NDJSON", "application/x-ndjson, application/jsonl"),
    "raw": ("RAW", "*/*"),
    "websocket": ("WEBSOCKET", "*/*"),
    "openai": ("OPENAI", "text/event-stream"),
    "openai-responses": ("OPENAI-RESPONSES", "text/event-stream"),
    "anthropic": ("ANTHROPIC", "text/event-stream"),
    "gemini": ("GEMINI", "text/event-stream, application/json"),
    "ollama": ("OLLAMA", "application/x-ndjson"),
    "multipart": ("MULTIPART", "multipart/x-mixed-replace, multipart/mixed, multipart/*;q=0.9"),
}


def test_every_format_says_what_it_accepts_and_what_locust_calls_it():
    assert {name: (each.request_type, each.accept) for name, each in FORMATS.items()} == DECLARED
    assert [each.name for each in FORMATS.values()] == list(DECLARED)


@pytest.mark.parametrize(
    ("wire_format", "kind"),
    [
        (SSE, SseDecoder),
        (NDJSON, NdjsonDecoder),
        (RAW, RawDecoder),
        (MULTIPART, MultipartDecoder),
        (WEBSOCKET, RawDecoder),
        (OPENAI, OpenAiDecoder),
        (RESPONSES, ResponsesDecoder),
        (ANTHROPIC, MessagesDecoder),
        (GEMINI, GeminiDecoder),
        (OLLAMA, OllamaDecoder),
    ],
    ids=lambda each: getattr(each, "name", ""),
)
def test_every_format_makes_its_decoder_which_holds_nothing(wire_format, kind):
    decoder = wire_format.decoder(BodyDescription("multipart/mixed; boundary=b", 100, transfer_chunks=True))
    assert type(decoder) is kind
    assert (decoder.feed([], False), decoder.pending, decoder.heartbeats, decoder.close()) == ([], False, 0, [])
    assert (decoder.done, decoder.error, decoder.resumption()) == (False, None, (None, None))


def test_what_can_reconnect_makes_a_decoder_that_knows_where_to_go_on():
    assert type(SSE.decoder(BodyDescription("", 100, resumable=True))) is ResumableSseDecoder


def test_a_raw_body_without_transfer_chunks_comes_in_blocks():
    assert RAW.decoder(BodyDescription("", 100, transfer_chunks=True)).feed([b"a"]) == [b"a"]
    assert RAW.decoder(BodyDescription("", 100, transfer_chunks=False)).feed([b"a"]) == []


def test_whole_messages_of_a_websocket_stay_as_they_are():
    assert WEBSOCKET.decoder(BodyDescription("", 100)).feed([b"a", b"", b"b"]) == [b"a", b"", b"b"]


def test_multipart_needs_a_boundary():
    with pytest.raises(ProtocolError, match="boundary"):
        MULTIPART.decoder(BodyDescription("multipart/mixed", 100))


@pytest.mark.parametrize(
    "kind",
    [
        *("application/x-ndjson", "application/ndjson", "application/jsonl"),
        *("application/x-jsonlines", "application/json-lines", "application/stream+json", "Application/X-NDJSON "),
    ],
)
def test_all_names_that_services_give_to_lines_of_json_are_read_as_lines(kind):
    assert protocol_of(kind) == protocol_of(f"{kind}; charset=utf-8") == "ndjson"
    assert FORMATS["ndjson"].fits(kind)


@pytest.mark.parametrize(
    "kind", ["application/json", "text/plain", "application/octet-stream", "text/csv", "\xa0text/event-stream", ""]
)
def test_a_type_without_chunks_of_its_own_is_raw(kind):
    assert protocol_of(kind) == "raw"
    assert FORMATS["raw"].fits(kind)
    assert not any(FORMATS[protocol].fits(kind) for protocol in ("sse", "multipart"))


#: In the order of preference: of the types that a protocol is known by, the first is the standard's own.
ASKED = {
    "auto": ["text/event-stream", "application/x-ndjson", "application/jsonl", "multipart/*;q=0.9", "*/*;q=0.1"],
    "sse": ["text/event-stream"],
    "ndjson": ["application/x-ndjson", "application/jsonl"],
    "raw": ["*/*"],
    "multipart": ["multipart/x-mixed-replace", "multipart/mixed", "multipart/*;q=0.9"],
    "websocket": ["*/*"],
    "openai": ["text/event-stream"],
    "openai-responses": ["text/event-stream"],
    "anthropic": ["text/event-stream"],
    "gemini": ["text/event-stream", "application/json"],
    "ollama": ["application/x-ndjson"],
}


@pytest.mark.parametrize("protocol", FORMATS)
def test_the_types_that_a_request_asks_for_can_be_read(protocol):
    ranges = [each.strip() for each in FORMATS[protocol].accept.split(",")]
    assert ranges == ASKED[protocol]
    if protocol != "auto":
        assert all(FORMATS[protocol].fits(each) for each in ranges)
