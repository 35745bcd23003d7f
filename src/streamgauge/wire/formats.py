"""All wire formats. A new one is a module with its decoder and its ``Format``, and a line below.

The catalog has its media types, and ``asgi.chunk_counting`` counts its chunks on the server's side.
"""

from dataclasses import replace

from streamgauge.catalog import UNSETTLED_PROTOCOL, protocol_of
from streamgauge.wire.format import Format
from streamgauge.wire.multipart import MULTIPART
from streamgauge.wire.ndjson import NDJSON
from streamgauge.wire.openai import OPENAI
from streamgauge.wire.raw import RAW
from streamgauge.wire.sse import SSE
from streamgauge.wire.websocket import WEBSOCKET

#: Whatever the response's Content-Type says: until that has come, it may be any format that has media types.
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
FORMATS: dict[str, Format] = {each.name: each for each in (AUTO, SSE, NDJSON, RAW, WEBSOCKET, OPENAI, MULTIPART)}


def resolve(wire_format: Format, content_type: str) -> Format:
    """Return what a stream of ``wire_format`` speaks once its response has come."""
    return FORMATS[protocol_of(content_type)] if wire_format is AUTO else wire_format
