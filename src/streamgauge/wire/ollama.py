"""Token streams of Ollama's own API, ``/api/chat`` and ``/api/generate``, as JSON lines.

Chunks are the lines that bring text, thinking, a tool call or an image. The last line has ``"done": true`` and the
counts, and usually no text. A line with ``error`` is an error.
"""

from typing import Any

from streamgauge.wire.decoder import MAX_CHUNK_BYTES, Decoder
from streamgauge.wire.format import Format, Signature
from streamgauge.wire.ndjson import NdjsonDecoder
from streamgauge.wire.rules import JsonHas, Rules
from streamgauge.wire.token_count import Usage
from streamgauge.wire.token_stream import TokenDecoder, count_in, object_in, said_in_text

_TEXTS, _THINKING = ("content", "response", "tool_calls", "images", "image"), "thinking"


class OllamaDecoder(TokenDecoder):
    """Cuts an answer into the lines with generated content. ``done``: the line with ``"done": true`` came."""

    def __init__(self, max_chunk_bytes: int = MAX_CHUNK_BYTES, lines: Decoder | None = None) -> None:
        super().__init__(lines or NdjsonDecoder(max_chunk_bytes), said_in_text)

    def read_frame(self, name: str, frame: dict[str, Any]) -> int:  # noqa: ARG002 - lines have no names
        """See ``TokenDecoder``."""
        if error := frame.get("error"):
            self.set_error(error)
        if frame.get("done") is True:
            self.done = True
            self.usage = Usage(count_in(frame, "prompt_eval_count"), count_in(frame, "eval_count"))
        holder = object_in(frame, "message") or frame
        answers = any(holder.get(each) for each in _TEXTS)
        if answers or holder.get(_THINKING):
            self.add_piece(reasoning=not answers)
            return 1
        self.add_silent()
        return 0


def _is_answer(name: str, frame: dict[str, Any]) -> bool:  # noqa: ARG001 - the contract of Signature
    answers = isinstance(frame.get("message"), dict) or isinstance(frame.get("response"), str)
    return answers and isinstance(frame.get("done"), bool) and isinstance(frame.get("model"), str)


OLLAMA = Format(
    "ollama",
    "OLLAMA",
    lambda body: OllamaDecoder(body.max_chunk_bytes).returning(every_frame=body.every_frame),
    media="ndjson",
    accept="application/x-ndjson",
    own_end=Rules((JsonHas(("done",)),)),
    tells_beside_chunks=True,
    signature=Signature((b'"done"',), _is_answer, lambda lines: OllamaDecoder(lines=lines)),
)
