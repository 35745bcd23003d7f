"""The decoder of each protocol, made for a body."""

import pytest

from streamgauge.wire.decoder import ACCEPT, PROTOCOLS, content_type_fits, decoder_for, protocol_of
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.multipart import MultipartDecoder
from streamgauge.wire.ndjson import NdjsonDecoder
from streamgauge.wire.openai import OpenAiDecoder
from streamgauge.wire.raw import RawDecoder
from streamgauge.wire.sse import SseDecoder


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        ("sse", SseDecoder),
        ("ndjson", NdjsonDecoder),
        ("raw", RawDecoder),
        ("multipart", MultipartDecoder),
        ("websocket", RawDecoder),
        ("openai", OpenAiDecoder),
    ],
)
def test_every_protocol_has_its_decoder(protocol, kind):
    decoder = decoder_for(protocol, "multipart/mixed; boundary=b", 100, transfer_chunks=True)
    assert isinstance(decoder, kind)
    assert (decoder.feed([], False), decoder.pending, decoder.heartbeats, decoder.close()) == ([], False, 0, [])
    assert protocol in PROTOCOLS
    assert protocol in ACCEPT


def test_a_raw_body_without_transfer_chunks_comes_in_blocks():
    assert decoder_for("raw", "", 100, transfer_chunks=True).feed([b"a"], False) == [b"a"]
    assert decoder_for("raw", "", 100, transfer_chunks=False).feed([b"a"], False) == []


def test_whole_messages_of_a_websocket_stay_as_they_are():
    assert decoder_for("websocket", "", 100, transfer_chunks=False).feed([b"a", b"", b"b"], False) == [b"a", b"", b"b"]


def test_multipart_needs_a_boundary():
    with pytest.raises(ProtocolError, match="boundary"):
        decoder_for("multipart", "multipart/mixed", 100, transfer_chunks=True)


def test_all_kinds_of_multipart_are_read_as_parts():
    for kind in ("mixed", "x-mixed-replace", "byteranges", "Related"):
        assert protocol_of(f"Multipart/{kind}; boundary=b") == "multipart"
    assert protocol_of("text/multipart") == "raw"
    assert not content_type_fits("multipart", "text/html")


@pytest.mark.parametrize(
    "kind",
    [
        *("application/x-ndjson", "application/ndjson", "application/jsonl"),
        *("application/x-jsonlines", "application/json-lines", "application/stream+json", "Application/X-NDJSON "),
    ],
)
def test_all_names_that_services_give_to_lines_of_json_are_read_as_lines(kind):
    assert protocol_of(kind) == protocol_of(f"{kind}; charset=utf-8") == "ndjson"
    assert content_type_fits("ndjson", kind)


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/octet-stream", "text/csv", ""])
def test_what_has_no_chunks_of_its_own_is_raw(kind):
    assert protocol_of(kind) == "raw"
    assert content_type_fits("raw", kind)
    assert not any(content_type_fits(protocol, kind) for protocol in ("sse", "ndjson", "multipart", "openai"))


@pytest.mark.parametrize("protocol", ACCEPT)
def test_what_a_request_asks_for_can_be_read(protocol):
    """In the order of preference: of the types that a protocol is known by, the first is the standard's own."""
    ranges = [each.strip() for each in ACCEPT[protocol].split(",")]
    asked = {
        "auto": ["text/event-stream", "application/x-ndjson", "application/jsonl", "multipart/*;q=0.9", "*/*;q=0.1"],
        "sse": ["text/event-stream"],
        "ndjson": ["application/x-ndjson", "application/jsonl"],
        "raw": ["*/*"],
        "multipart": ["multipart/x-mixed-replace", "multipart/mixed", "multipart/*;q=0.9"],
        "websocket": ["*/*"],
        "openai": ["text/event-stream"],
    }
    assert ranges == asked[protocol]
    if protocol != "auto":
        assert all(content_type_fits(protocol, each) for each in ranges)


def test_token_streams_are_event_streams_when_asked_for():
    assert content_type_fits("openai", "text/event-stream; charset=utf-8")
    assert not content_type_fits("openai", "application/json")
    assert protocol_of("text/event-stream") == "sse"


def test_a_websocket_has_no_content_type():
    assert content_type_fits("websocket", "")
