"""Which counter a response gets: by its content coding, and by the protocol that the catalog has for its type."""

from streamgauge.asgi.chunk_counting import ChunkCounter, EventCounter, LineCounter, MessageCounter
from streamgauge.asgi.coded_bodies import CodedCounter
from streamgauge.asgi.part_counting import PartCounter
from streamgauge.catalog import protocol_of
from streamgauge.media_types import effective_type

#: The counters of the protocols whose chunks are not messages.
COUNTERS: dict[str, type[ChunkCounter]] = {"sse": EventCounter, "ndjson": LineCounter, "multipart": PartCounter}


def counter_of(protocol: str) -> type[ChunkCounter]:
    """Return the class that counts the chunks of ``protocol``."""
    return COUNTERS.get(protocol, MessageCounter)


def counter_for(content_type: str, content_encoding: str) -> ChunkCounter:
    """Return the counter for a response. In a compressed response only messages can be counted."""
    if content_encoding not in ("", "identity"):
        return CodedCounter(content_encoding)
    return counter_of(protocol_of(content_type)).of(effective_type(content_type))
