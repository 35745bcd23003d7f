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


def test_token_streams_are_event_streams_when_asked_for():
    assert content_type_fits("openai", "text/event-stream; charset=utf-8")
    assert not content_type_fits("openai", "application/json")
    assert protocol_of("text/event-stream") == "sse"


def test_a_websocket_has_no_content_type():
    assert content_type_fits("websocket", "")
