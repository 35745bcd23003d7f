"""The list of all streams, for the index, the documentation and the landing page."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """One endpoint that streams."""

    path: str
    method: str
    protocol: str
    """The protocol's label in the metrics and in ``streamgauge``."""
    media_type: str
    title: str
    line: str
    """A description in one line."""
    end: str
    """The end marker as an option of ``streamgauge``; empty if the format has none."""
    pathological: bool = False
    """Whether it shows on purpose what no service should do."""

    @property
    def tag(self) -> str:
        """The stream's section in the documentation."""
        return "pathologies" if self.pathological else "native" if self.path.startswith("/native/") else "streams"

    def entry(self) -> dict[str, object]:
        """Convert the stream to JSON."""
        return asdict(self)


SSE_TYPE, NDJSON_TYPE, JSONL_TYPE = "text/event-stream", "application/x-ndjson", "application/jsonl"
#: The end markers of events and of lines. A line's contains the number of chunks N, which the client chooses.
_DONE_EVENT, _DONE_LINE = "event:done", 'data:{"type":"done","chunks":N}'

SSE = Stream(
    "/stream/sse",
    "GET",
    "sse",
    SSE_TYPE,
    "Readings as Server-Sent Events",
    "Numbered events, encoded once for all streams; resumes after the `Last-Event-ID`.",
    _DONE_EVENT,
)
NDJSON = Stream(
    "/stream/ndjson",
    "GET",
    "ndjson",
    NDJSON_TYPE,
    "Readings as JSON lines",
    "One JSON object per line, as NDJSON or as JSON Lines.",
    _DONE_LINE,
)
TEXT = Stream(
    "/stream/text",
    "GET",
    "raw",
    "text/plain; charset=utf-8",
    "A description of a river as plain text",
    "Pieces of one long text, which is repeated.",
    "",
)
BYTES = Stream(
    "/stream/bytes",
    "GET",
    "raw",
    "application/octet-stream",
    "Readings as binary frames",
    "Frames, each with a number and a checksum.",
    "",
)
FILE = Stream(
    "/stream/file/{name}",
    "GET",
    "raw",
    "application/octet-stream",
    "A file, chunk by chunk",
    "A download of known length, whole or by range, read off the event loop.",
    "",
)
MULTIPART = Stream(
    "/stream/multipart",
    "GET",
    "multipart",
    "multipart/x-mixed-replace",
    "Readings as parts of a multipart body",
    "Each part replaces the one before, like a camera's pictures; or all parts stay.",
    "",
)
WEBSOCKET = Stream(
    "/stream/ws",
    "GET",
    "websocket",
    "",
    "Readings as WebSocket messages",
    "One JSON message per reading, until the server closes with code 1000.",
    _DONE_LINE,
)
CHAT = Stream(
    "/v1/chat/completions",
    "POST",
    "openai",
    SSE_TYPE,
    "A chat completion, token by token",
    "The OpenAI-compatible interface, with `stream` true or false; the intervals between tokens are log-normal.",
    "data:[DONE]",
)
SYNC = Stream(
    "/stream/sync",
    "GET",
    "sse",
    SSE_TYPE,
    "Readings from a generator that is not async",
    "The same events, each fetched in a worker thread, as from a blocking library.",
    _DONE_EVENT,
)
NATIVE_SSE = Stream(
    "/native/sse",
    "GET",
    "sse",
    SSE_TYPE,
    "Readings as FastAPI's own Server-Sent Events",
    "The same events, encoded by FastAPI for each stream.",
    _DONE_EVENT,
)
NATIVE_NDJSON = Stream(
    "/native/ndjson",
    "GET",
    "ndjson",
    JSONL_TYPE,
    "Readings as FastAPI's own JSON lines",
    "The same lines, validated and encoded by FastAPI for each stream.",
    _DONE_LINE,
)
BLOCKING = Stream(
    "/pathologies/blocking",
    "GET",
    "sse",
    SSE_TYPE,
    "A generator that blocks the event loop",
    "Sleeps with `time.sleep` before each event: all other streams of the process wait with it.",
    _DONE_EVENT,
    pathological=True,
)
NEVER_AWAITS = Stream(
    "/pathologies/never-awaits",
    "GET",
    "sse",
    SSE_TYPE,
    "A generator that never awaits",
    "Sends events without a pause: only the instruments make it yield to the event loop.",
    _DONE_EVENT,
    pathological=True,
)
BUFFERED = Stream(
    "/pathologies/buffered",
    "GET",
    "sse",
    SSE_TYPE,
    "An endpoint that buffers everything",
    "Makes its events at their pace, and sends all of them at the end.",
    _DONE_EVENT,
    pathological=True,
)
UNTERMINATED = Stream(
    "/pathologies/unterminated",
    "GET",
    "sse",
    SSE_TYPE,
    "A stream that ends without its end marker",
    "Ends cleanly half way, so that only a client that knows the end marker sees what is missing.",
    _DONE_EVENT,
    pathological=True,
)
HIDDEN_ERROR = Stream(
    "/pathologies/hidden-error",
    "GET",
    "sse",
    SSE_TYPE,
    "A stream that hides its error",
    "Its generator raises half way, but FastAPI's own Server-Sent Events end cleanly.",
    _DONE_EVENT,
    pathological=True,
)

STREAMS = (
    *(SSE, NDJSON, TEXT, BYTES, FILE, MULTIPART, WEBSOCKET, CHAT, SYNC, NATIVE_SSE, NATIVE_NDJSON),
    *(BLOCKING, NEVER_AWAITS, BUFFERED, UNTERMINATED, HIDDEN_ERROR),
)
