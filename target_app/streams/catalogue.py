"""Every stream there is, in one place: what the index, the documentation and the landing page say of it."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Stream:
    """One endpoint that streams."""

    path: str
    method: str
    protocol: str
    """As the metrics and ``streamgauge`` name it."""
    media_type: str
    title: str
    line: str
    """What it is, in one line."""
    end: str
    """Its end marker, as ``streamgauge`` takes it; empty where the format has none."""
    pathological: bool = False
    """Whether it does on purpose what no service should."""

    @property
    def tag(self) -> str:
        """The section of the documentation that it stands in."""
        return "pathologies" if self.pathological else "native" if self.path.startswith("/native/") else "streams"

    def entry(self) -> dict[str, object]:
        """It as JSON."""
        return asdict(self)


SSE_TYPE, NDJSON_TYPE, JSONL_TYPE = "text/event-stream", "application/x-ndjson", "application/jsonl"
#: The end marker of events. That of lines names their number, which is for the client to choose.
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
    "One JSON object a line, as NDJSON or as JSON Lines.",
    _DONE_LINE,
)
TEXT = Stream(
    "/stream/text",
    "GET",
    "raw",
    "text/plain; charset=utf-8",
    "An account of a river as plain text",
    "Pieces of one long text, which begins again where it ends.",
    "",
)
BYTES = Stream(
    "/stream/bytes",
    "GET",
    "raw",
    "application/octet-stream",
    "Readings as binary telemetry",
    "Frames with a number and a checksum each.",
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
    "Each part replaces the one before, as a camera's pictures do; or they all stay.",
    "",
)
WEBSOCKET = Stream(
    "/stream/ws",
    "GET",
    "websocket",
    "",
    "Readings as WebSocket messages",
    "A JSON message each, until the server closes with code 1000.",
    _DONE_LINE,
)
CHAT = Stream(
    "/v1/chat/completions",
    "POST",
    "openai",
    SSE_TYPE,
    "A chat completion, token by token",
    "The OpenAI-compatible interface, with `stream` true or false; tokens come in a log-normal cadence.",
    "data:[DONE]",
)
SYNC = Stream(
    "/stream/sync",
    "GET",
    "sse",
    SSE_TYPE,
    "Readings from a generator that is not async",
    "The same events, each fetched in a worker thread, as from a library that blocks.",
    _DONE_EVENT,
)
NATIVE_SSE = Stream(
    "/native/sse",
    "GET",
    "sse",
    SSE_TYPE,
    "Readings as FastAPI's own Server-Sent Events",
    "The same events, encoded by FastAPI for each stream anew.",
    _DONE_EVENT,
)
NATIVE_NDJSON = Stream(
    "/native/ndjson",
    "GET",
    "ndjson",
    JSONL_TYPE,
    "Readings as FastAPI's own JSON lines",
    "The same lines, validated and encoded by FastAPI for each stream anew.",
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
    "Goes on without end and without a pause: nothing but the instruments makes it give way.",
    _DONE_EVENT,
    pathological=True,
)
BUFFERED = Stream(
    "/pathologies/buffered",
    "GET",
    "sse",
    SSE_TYPE,
    "An endpoint that buffers all",
    "Makes its events at their pace, and sends them all at the end.",
    _DONE_EVENT,
    pathological=True,
)
UNTERMINATED = Stream(
    "/pathologies/unterminated",
    "GET",
    "sse",
    SSE_TYPE,
    "A stream that ends without its end marker",
    "Ends cleanly half way, so that only who knows the end marker sees that something is missing.",
    _DONE_EVENT,
    pathological=True,
)
HIDDEN_ERROR = Stream(
    "/pathologies/hidden-error",
    "GET",
    "sse",
    SSE_TYPE,
    "A stream that hides its error",
    "Its generator raises half way, and FastAPI's own Server-Sent Events end cleanly all the same.",
    _DONE_EVENT,
    pathological=True,
)

STREAMS = (
    *(SSE, NDJSON, TEXT, BYTES, FILE, MULTIPART, WEBSOCKET, CHAT, SYNC, NATIVE_SSE, NATIVE_NDJSON),
    *(BLOCKING, NEVER_AWAITS, BUFFERED, UNTERMINATED, HIDDEN_ERROR),
)
