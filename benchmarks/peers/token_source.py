"""A paced source of token streams in OpenAI's form, which logs every send.

``POST /v1/chat/completions`` streams the tokens that the options name, whatever the request asks for: the first one
``--first-ms`` after the request, the others ``--rate`` a second, on an absolute schedule. ``GET /v1/models`` and
``GET /health`` answer what generators ask before they start. ``GET /log?sent=1`` is as in the paced source.
"""

import argparse
import asyncio
import gc
import json
import time
from typing import Any

from benchmarks.peers.tokenizer import WORD
from streamgauge.calibrate.source import STREAM_HEAD, TERMINATOR, Request, Sent, Source, frame, reply

MODEL = "paced"


def _event(**more: Any) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, **more}
    return b"data: %b\n\n" % json.dumps(chunk).encode()


def _content(token: str) -> bytes:
    return _event(choices=[{"index": 0, "delta": {"role": "assistant", "content": token}, "finish_reason": None}])


class TokenSource(Source):
    """The source. Only streams of the chat are in its log; the event that ends them is not, since it has no token."""

    def __init__(self, tokens: int, rate: float, first_s: float) -> None:
        super().__init__()
        self._tokens, self._interval_s, self._first_s = tokens, 1 / rate, first_s
        self._frame = frame(_content(WORD))
        usage = {"prompt_tokens": 8, "completion_tokens": tokens, "total_tokens": tokens + 8}
        last = _event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
        self._end = frame(last) + frame(_event(choices=[], usage=usage)) + frame(b"data: [DONE]\n\n") + TERMINATOR

    async def answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        """Answer one request."""
        if request.path == "/v1/models":
            reply(writer, {"object": "list", "data": [{"id": MODEL, "object": "model", "owned_by": "benchmarks"}]})
        elif request.path == "/health":
            reply(writer, {})
        elif request.path == "/log":
            await super().answer(request, writer)
        elif request.path == "/v1/chat/completions" and json.loads(request.body).get("stream"):
            sent = Sent(None, request.asked_ns)
            self._log.streams.append(sent)
            await self._stream(writer, sent)
        else:
            reply(writer, {"error": {"message": f"no {request.path} here"}}, "404 Not Found")

    async def _stream(self, writer: asyncio.StreamWriter, sent: Sent) -> None:
        now_ns, before, after = time.monotonic_ns, sent.before_ns.append, sent.after_ns.append
        begin_s, framed = sent.asked_ns / 1e9 + self._first_s, self._frame
        writer.write(STREAM_HEAD)
        for number in range(self._tokens):
            await asyncio.sleep(begin_s + number * self._interval_s - time.monotonic())
            if writer.is_closing():
                return
            before(now_ns())
            writer.write(framed)
            after(now_ns())
        writer.write(self._end)


def main() -> None:
    """Listen, print the port, and serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=100)
    parser.add_argument("--rate", type=float, default=20)
    parser.add_argument("--first-ms", type=float, default=20)
    options = parser.parse_args()
    source = TokenSource(options.tokens, options.rate, options.first_ms / 1000)
    gc.disable()
    asyncio.run(source.listen())


if __name__ == "__main__":
    main()
