"""All wire formats. A new one needs a module with its decoder and its ``Format``, and a line below.

Add its media types to the catalog, and count its chunks on the server's side in ``asgi.chunk_counting``. A format
without media types of its own has a ``Signature``, by which the first chunk shows it.
"""

from dataclasses import replace
from functools import cache

from streamgauge.catalog import UNSETTLED_PROTOCOL, protocol_of
from streamgauge.wire.anthropic import ANTHROPIC
from streamgauge.wire.format import Format
from streamgauge.wire.gemini import GEMINI
from streamgauge.wire.multipart import MULTIPART
from streamgauge.wire.ndjson import NDJSON
from streamgauge.wire.ollama import OLLAMA
from streamgauge.wire.openai import OPENAI
from streamgauge.wire.openai_responses import RESPONSES
from streamgauge.wire.raw import RAW
from streamgauge.wire.sse import SSE
from streamgauge.wire.token_stream import json_or_none, said_in_event, said_in_text
from streamgauge.wire.websocket import WEBSOCKET

#: The format that the response's Content-Type names. Until the response comes, it may be any format with media types.
AUTO = replace(
    RAW,
    name=UNSETTLED_PROTOCOL,
    request_type="STREAM",
    accept=f"{SSE.accept}, {NDJSON.accept}, multipart/*;q=0.9, */*;q=0.1",
    has_events=True,
    has_event_ids=True,
    can_reconnect=True,
)
#: Every format by its name.
FORMATS: dict[str, Format] = {
    each.name: each
    for each in (AUTO, SSE, NDJSON, RAW, WEBSOCKET, OPENAI, RESPONSES, ANTHROPIC, GEMINI, OLLAMA, MULTIPART)
}


def resolve(wire_format: Format, content_type: str) -> Format:
    """Return the format of a stream of ``wire_format`` whose response has come."""
    return FORMATS[protocol_of(content_type)] if wire_format is AUTO else wire_format


@cache
def may_be_shown(wire_format: Format) -> bool:
    """Whether the first chunk of a stream that can be read as ``wire_format`` may show another format."""
    return any(each.media == wire_format.name for each in FORMATS.values() if each.signature)


def shown_by(chunk: bytes, wire_format: Format) -> Format:
    """Return the format that the first chunk of a stream shows; ``wire_format``, as which it was cut, if no other."""
    for each in FORMATS.values():
        signature = each.signature
        if signature is None or each.media != wire_format.name or not any(guard in chunk for guard in signature.guards):
            continue
        name, text = (said_in_event if wire_format.has_events else said_in_text)(chunk)
        frame = json_or_none(text)
        if isinstance(frame, dict) and signature.is_of(name, frame):
            return each
    return wire_format
