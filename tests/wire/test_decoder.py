"""Which decoder a name or a content type chooses."""

import pytest

from streamgauge.wire.decoder import ACCEPT, DECODERS, PROTOCOLS, content_type_fits, media_type, protocol_of


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
        ("application/json", "raw"),
        ("text/plain", "raw"),
        ("text/event-streams", "raw"),
        ("application/octet-stream", "raw"),
        ("", "raw"),
    ],
)
def test_a_content_type_chooses_its_protocol(content_type, protocol):
    assert protocol_of(content_type) == protocol
    assert content_type_fits(protocol, content_type)


def test_all_can_be_read_as_raw_and_nothing_else_as_what_it_is_not():
    assert content_type_fits("raw", "text/event-stream")
    assert not content_type_fits("sse", "application/x-ndjson")
    assert not content_type_fits("ndjson", "application/json")
    assert not content_type_fits("sse", "")


def test_json_is_a_stream_of_lines_for_who_says_so():
    assert content_type_fits("ndjson", "application/json; charset=utf-8", "text/plain, application/json;q=0.5")
    assert not content_type_fits("ndjson", "application/json", "*/*, application/x-ndjson")
    assert not content_type_fits("sse", "application/json", "application/json")


def test_media_types_lose_their_parameters():
    assert media_type("Text/HTML ; charset=x; y=z") == "text/html"


def test_every_protocol_says_what_it_accepts():
    assert set(DECODERS) < set(PROTOCOLS)
    assert set(DECODERS) <= set(ACCEPT)


@pytest.mark.parametrize("protocol", ["sse", "ndjson", "raw"])
def test_a_new_decoder_holds_nothing(protocol):
    decoder = DECODERS[protocol]()
    assert (decoder.pending, decoder.heartbeats, decoder.feed([], False), decoder.close()) == (False, 0, [], [])
