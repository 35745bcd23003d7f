"""All wire formats. A new one needs a module with its decoder and its ``Format``, and a line below.

Add its media types to the catalog, and count its chunks on the server's side in ``asgi.chunk_counting``.
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
FORMATS: dict[str, Format] = {each.name: each for each in (AUTO, SSE, NDJSON, RAW, WEBSOCKET, OPENAI, MULTIPART)}


def resolve(wire_format: Format, content_type: str) -> Format:
    """Return the format of a stream of ``wire_format`` whose response has come."""
    return FORMATS[protocol_of(content_type)] if wire_format is AUTO else wire_format
