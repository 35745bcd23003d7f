"""Targets of the fuzzer that are parsers of streams: split as one likes, they give the same chunks and the same end."""

import sys
from collections.abc import Callable, Iterable
from itertools import accumulate, pairwise
from typing import Any

from streamgauge.wire.anthropic import MessagesDecoder
from streamgauge.wire.coding import available_codings, coding_for
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.gemini import GeminiDecoder
from streamgauge.wire.http1_body import ChunkedBody, framing_of
from streamgauge.wire.http1_head import HeadParser
from streamgauge.wire.json_array import JsonArrayDecoder
from streamgauge.wire.multipart import MultipartDecoder
from streamgauge.wire.ndjson import NdjsonDecoder
from streamgauge.wire.ollama import OllamaDecoder
from streamgauge.wire.openai import OpenAiDecoder
from streamgauge.wire.openai_responses import ResponsesDecoder
from streamgauge.wire.raw import RawDecoder
from streamgauge.wire.sse import ResumableSseDecoder, SseDecoder
from streamgauge.wire.token_stream import said_in_text
from streamgauge.wire.websocket_body import WebSocketBody

WIDE_BYTES, NARROW_BYTES = 1 << 20, 64
#: What a parser with NARROW_BYTES may hold beside a chunk: line ends, a header or a boundary in the making, one read.
SLACK_BYTES = 40_000

#: What a decoder of tokens notes beside its chunks.
TOKENS = ("done", "error", "usage", "tokens", "shown_tokens", "choices", "answered")

#: Feeds pieces to a new parser with a limit. What comes out goes to the list as it comes; what holds it and how it
#: ended are the result. Raises ProtocolError, with what came out before.
Run = Callable[[Iterable[bytes], int, list[Any]], tuple[Any, Any]]


def through(decoder: Any, pieces: Iterable[bytes], out: list[Any], *state: str) -> tuple[Any, Any]:
    """Feed a decoder of chunks to its end."""
    for piece in pieces:
        out += decoder.feed([piece], False)
    out += decoder.close()
    for chunk in out[:20]:
        try:
            decoder.parse(chunk)
        except ProtocolError:
            continue
    return decoder, (decoder.heartbeats, *(getattr(decoder, name) for name in state))


def sse(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(SseDecoder(limit), pieces, out)


def resumable(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(ResumableSseDecoder(limit), pieces, out, "last_event_id", "retry_ms")


def ndjson(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(NdjsonDecoder(limit), pieces, out)


def blocks(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(RawDecoder(limit, transfer_chunks=False, block_bytes=64), pieces, out)


def openai(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(OpenAiDecoder(limit), pieces, out, *TOKENS)


def responses(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(ResponsesDecoder(limit), pieces, out, *TOKENS)


def anthropic(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(MessagesDecoder(limit), pieces, out, *TOKENS)


def gemini(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(GeminiDecoder(limit), pieces, out, *TOKENS)


def gemini_array(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    decoder = GeminiDecoder(frames=JsonArrayDecoder(limit), said=said_in_text)
    return through(decoder, pieces, out, *TOKENS)


def ollama(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(OllamaDecoder(limit), pieces, out, *TOKENS)


def multipart(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return through(MultipartDecoder("multipart/mixed; boundary=b", limit), pieces, out, "closed", "pending")


def dashed_multipart(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    decoder = MultipartDecoder('multipart/x-mixed-replace;boundary="--b"', limit)
    return through(decoder, pieces, out, "closed", "pending")


def websocket(pieces: Iterable[bytes], limit: int, out: list[Any], extensions: str = "") -> tuple[Any, Any]:
    body = WebSocketBody(extensions, limit)
    for piece in pieces:
        out += body.feed(piece)
    sent = len(body.take_outgoing())
    return body, (body.pending, body.close(), body.close_code, body.close_reason, body.rest, body.heartbeats, sent)


def deflated_websocket(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return websocket(pieces, limit, out, "permessage-deflate; server_max_window_bits=10")


def forgetful_websocket(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return websocket(pieces, limit, out, "permessage-deflate; server_no_context_takeover")


def chunked(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return framed(ChunkedBody(), pieces, limit, out)


def framed(framing: Any, pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    decoder, rest = RawDecoder(limit, transfer_chunks=framing.has_transfer_chunks), b""
    for piece in pieces:
        if framing.finished:
            rest += piece
            continue
        problem = None
        try:
            parts = framing.feed(piece)
        except ProtocolError as error:
            parts, problem = error.before, ProtocolError(str(error))
        out += decoder.feed(parts, framing.partial)
        if problem is not None:
            raise problem
    finished, whole = framing.finished, framing.close()
    out += decoder.close() if whole else []
    return (framing, decoder), (whole, finished, framing.rest + rest)


def response(pieces: Iterable[bytes], limit: int, out: list[Any], method: str = "GET") -> tuple[Any, Any]:
    parser = HeadParser(limit)
    pieces = iter(pieces)
    for piece in pieces:
        if head := parser.feed(piece):
            out += [head.status, head.reason, dict(head.fields), head.set_cookies, head.keeps_alive]
            return framed(framing_of(head, method), [parser.rest, *pieces], limit, out)
    return parser, parser.started


def head_alone(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
    return response(pieces, limit, out, "HEAD")


def decoded(coding: str) -> Run:
    def run(pieces: Iterable[bytes], limit: int, out: list[Any]) -> tuple[Any, Any]:
        decoder = coding_for(coding, limit)
        assert decoder is not None
        # A decompressor that refuses does not say what was good before.
        out.append(b"".join([decoder.feed(piece) for piece in pieces]))
        return decoder, decoder.close()

    run.__name__ = coding
    return run


CODINGS = (*available_codings(), "gzip, gzip")
STREAMS: tuple[Run, ...] = (
    sse,
    resumable,
    ndjson,
    blocks,
    openai,
    responses,
    anthropic,
    gemini,
    gemini_array,
    ollama,
    multipart,
    dashed_multipart,
    websocket,
    deflated_websocket,
    forgetful_websocket,
    chunked,
    response,
    head_alone,
    *map(decoded, CODINGS),
)


def outcome(run: Run, pieces: list[bytes], limit: int) -> tuple[list[Any], Any]:
    """What came out, and the end; None as the end where the parser refused, which takes back nothing."""
    out: list[Any] = []
    try:
        _, end = run(pieces, limit, out)
    except ProtocolError as error:
        return [*out, *error.before], None
    return out, (end,)


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """``data`` in pieces of these sizes, and what is left."""
    points = [0, *accumulate(sizes), len(data)]
    return [piece for start, end in pairwise(points) if (piece := data[start:end])]


def check_stream(run: Run, data: bytes, sizes: list[int]) -> None:
    """Whole, in pieces and byte by byte are the same, and little is held."""
    pieces, single = cut(data, sizes), [data[at : at + 1] for at in range(len(data))]
    for limit in (WIDE_BYTES,) if run.__name__ in CODINGS else (WIDE_BYTES, NARROW_BYTES):  # theirs is for one piece
        whole = outcome(run, [data], limit)
        for split in (pieces, single):
            got = outcome(run, split, limit)
            assert got == whole, f"with {limit} bytes {split!r} gave {got!r}, and whole {whole!r}"
    check_memory(run, pieces * 8)


def check_memory(run: Run, pieces: list[bytes]) -> None:
    """A parser with a small limit holds little, however it ends."""
    try:
        parser, _ = run(pieces, NARROW_BYTES, [])
    except ProtocolError:
        return
    # What lies behind the end of a body is kept for the caller to see, and is no larger than what was fed.
    rest = sum(map(len, pieces)) if isinstance(parser, tuple | WebSocketBody) else 0
    held = held_bytes(parser, set())
    assert held <= SLACK_BYTES + rest, f"{held} bytes held after {pieces!r}"


def held_bytes(held: Any, seen: set[int]) -> int:
    """The bytes in whatever ``held`` refers to."""
    if id(held) in seen or isinstance(held, type):
        return 0
    seen.add(id(held))
    if isinstance(held, bytes | bytearray | str):
        return sys.getsizeof(held)
    if isinstance(held, list | tuple | set):
        return sys.getsizeof(held) + sum(held_bytes(member, seen) for member in held)
    if isinstance(held, dict):
        return sum(held_bytes(member, seen) for member in held.values())
    return sum(held_bytes(member, seen) for member in getattr(held, "__dict__", {}).values())


def check_resumption(data: bytes, sizes: list[int]) -> None:
    """At every cut: what to resume from is what the bytes so far say, and the chunks are any decoder's."""
    decoder, plain, so_far = ResumableSseDecoder(), SseDecoder(), b""
    for piece in cut(data, sizes):
        so_far += piece
        assert decoder.feed([piece]) == plain.feed([piece])
        assert (decoder.pending, decoder.heartbeats) == (plain.pending, plain.heartbeats)
        fresh = ResumableSseDecoder()
        fresh.feed([so_far])
        found, expected = [(each.last_event_id, each.retry_ms) for each in (decoder, fresh)]
        assert found == expected, f"{found!r} after {so_far!r} in pieces, and {expected!r} whole"
