"""Targets of the fuzzer that are no streams: values of header fields, numbers of chunks, and the named end."""

import json

from streamgauge.catalog import protocol_of
from streamgauge.media_types import effective_type, media_type
from streamgauge.wire.coding import coding_for
from streamgauge.wire.decoder import BodyDescription
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.foreign_protocols import spoken
from streamgauge.wire.formats import FORMATS
from streamgauge.wire.frame import Frame
from streamgauge.wire.http1_head import parse_head
from streamgauge.wire.multipart import boundary_of
from streamgauge.wire.ndjson import NdjsonDecoder
from streamgauge.wire.rules import ChunkCount, DataIs, EventIs, RuleError, read_end
from streamgauge.wire.sequence import EventId, JsonMember, SequenceCheck, number_reader
from streamgauge.wire.sse import SseDecoder
from streamgauge.wire.strict_json import json_of
from streamgauge.wire.websocket_body import WebSocketBody
from streamgauge.wire.websocket_handshake import check_accept, deflate_agreed

#: The key of RFC 6455 section 1.3, whose accept value the seeds have.
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
WINDOW = 8


def check_words(data: bytes, sizes: list[int]) -> None:
    """The parsers of header values refuse in one way alone, and what they accept can be used."""
    text = data.decode("latin-1")
    for parse in (boundary_of, deflate_agreed, coding_for):
        try:
            parse(text)
        except ProtocolError:
            continue
    assert media_type(effective_type(text)) == media_type(text)
    protocol = protocol_of(text)
    assert FORMATS[protocol].fits(text)
    for each in FORMATS.values():
        try:
            each.decoder(BodyDescription(text, 64, bool(sizes), len(sizes) > 1)).feed([data], False)
        except ProtocolError:
            continue


def check_json(data: bytes, sizes: list[int]) -> None:
    """What is read as JSON is so read by the standard library, too; all else is refused in one way."""
    del sizes
    spoken(data)
    try:
        value = json_of(data)
    except ValueError:
        return
    try:
        expected = json.loads(data)
    except ValueError:  # more digits than it reads
        return
    assert value == expected


def check_handshake(data: bytes, sizes: list[int]) -> None:
    """A response that opens a WebSocket has agreed to what a framing can be made for."""
    try:
        head = parse_head(data)
        check_accept(KEY, head, ("chat",), deflate=bool(sizes))
    except ProtocolError:
        return
    WebSocketBody(head.fields.get("sec-websocket-extensions", ""))
    assert head.fields.get("sec-websocket-protocol", "chat") == "chat"


def check_numbers(data: bytes, sizes: list[int]) -> None:
    """The short ways to a number lead to the parser's, and every number is counted once."""
    for decoder in (SseDecoder, NdjsonDecoder):
        check, read = SequenceCheck(window=WINDOW), number_reader(JsonMember("n"), decoder.parse)
        numbers = []
        for chunk in filter(None, data.split(b"\n\n")):
            number = read(chunk)
            if number is not None:
                numbers.append(number)
                check.add(number)
            if decoder is SseDecoder:
                check_id(chunk)
        check_counts(check, numbers)


def check_id(chunk: bytes) -> None:
    """An event's number is its id, where that is one."""
    number, event_id = number_reader(EventId(), SseDecoder.parse)(chunk), SseDecoder.parse(chunk).id
    if number is None:
        assert (
            event_id is None or len(event_id) > 18 or not event_id.removeprefix("-").isdigit() or not event_id.isascii()
        )
    else:
        assert event_id is not None
        assert int(event_id) == number


def check_counts(check: SequenceCheck, numbers: list[int]) -> None:
    """What is lost, repeated and late adds up."""
    different = len(set(numbers))
    assert check.lost >= 0
    assert check.repeated <= len(numbers) - different <= check.repeated + check.beyond_window
    if numbers and not check.beyond_window:
        assert check.lost == max(numbers) - min(numbers) + 1 - different
        assert check._seen.bit_length() <= WINDOW


def check_end_of(data: bytes, sizes: list[int]) -> None:
    """The named end comes where, and only where, a chunk parsed in full has the text or the name."""
    name, _, chunk = data.partition(b"\0")
    try:
        end = read_end(name.decode("utf-8", "surrogateescape"))
    except RuleError:
        return
    (rule,) = (*end.any_of, *end.none_of)[-1:]
    if not isinstance(rule, EventIs | DataIs):
        assert isinstance(rule, ChunkCount) or rule.guard in chunk or not end.match(Frame(chunk, NdjsonDecoder()))
        return
    wanted = not end.none_of
    for block in SseDecoder().feed([chunk + b"\n\n"]):
        event = SseDecoder.parse(block)
        expected = event.event == rule.name if isinstance(rule, EventIs) else event.data == rule.text
        assert (end.match(Frame(block, SseDecoder())) is not None) == (expected is wanted), f"{end!r} and {block!r}"
        assert rule.guard in block or not expected
    if isinstance(rule, DataIs):
        expected = chunk == rule.text.encode()
        assert (end.match(Frame(chunk, NdjsonDecoder())) is not None) == (expected is wanted)
