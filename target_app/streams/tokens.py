"""A chat completion's tokens: as the frames of a stream, encoded beforehand but for their text, and as text."""

import json

from target_app.producing import Form
from target_app.prose import LINE, Endless
from target_app.streams.openai import ChatRequest, FinishReason, Usage, refused

_TEXT = Endless(LINE.encode("ascii"))


def token(number: int, size_bytes: int) -> bytes:
    """The text of token ``number``: ASCII that stands in a JSON string as it is."""
    return _TEXT.piece(number * size_bytes, size_bytes)


def usage_of(request: ChatRequest, tokens: int) -> Usage:
    """The count of a finished answer."""
    asked = request.prompt_tokens
    return Usage(prompt_tokens=asked, completion_tokens=tokens, total_tokens=asked + tokens)


def finish_reason(request: ChatRequest, tokens: int) -> FinishReason:
    """Why an answer of so many tokens ends: it was allowed no more, or there was no more to say."""
    return "length" if tokens >= request.most_tokens else "stop"


class Texts(Form[bytes]):
    """The tokens' texts alone, for the answer in one piece."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> bytes:
        """The text of one token."""
        return token(number, self._size_bytes)


class Frames(Form[bytes]):
    """The frames of a stream: the role, a delta a token, the reason of the end, the usage if wished, ``[DONE]``."""

    heartbeat = b": still here\n\n"
    has_terminator = True

    def __init__(self, request: ChatRequest, answer_id: str, created: int, size_bytes: int) -> None:
        self._request = request
        self._size_bytes = size_bytes
        said = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": request.model}
        self._common = json.dumps(said, separators=(",", ":"))[1:-1]
        self._counts = request.stream_options is not None and request.stream_options.include_usage
        delta = self._frame('{"content":"|"}')
        self._before, _, self._after = delta.rpartition(b"|")
        self.preface = self._frame('{"role":"assistant","content":""}')

    def chunk(self, number: int) -> bytes:
        """The delta of one token."""
        return b"%b%b%b" % (self._before, token(number, self._size_bytes), self._after)

    def terminator(self, chunks: int) -> bytes:
        """Why the answer ends, what it counts, and ``[DONE]``."""
        last = self._frame("{}", f'"{finish_reason(self._request, chunks)}"')
        if self._counts:
            usage = usage_of(self._request, chunks).model_dump_json()
            last += f'data: {{{self._common},"choices":[],"usage":{usage}}}\n\n'.encode()
        return last + b"data: [DONE]\n\n"

    def error(self, message: str) -> bytes:
        """The frame that tells an error, in the interface's own shape."""
        return b"data: %b\n\n" % refused(message, "server_error").model_dump_json().encode()

    def _frame(self, delta: str, reason: str = "null") -> bytes:
        choice = f'{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{reason}}}'
        usage = ',"usage":null' if self._counts else ""  # of all frames but the one that counts, if there is that
        return f'data: {{{self._common},"choices":[{choice}]{usage}}}\n\n'.encode()
