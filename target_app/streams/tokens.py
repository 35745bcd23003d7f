"""A chat completion's tokens, as frames of a stream and as text. All of a frame but its text is encoded once."""

import json

from target_app.producer import Form
from target_app.sample_text import LINE, Repeating
from target_app.streams.openai import ChatRequest, FinishReason, Usage, error_response

_TEXT = Repeating(LINE.encode("ascii"))


def token(number: int, size_bytes: int) -> bytes:
    """Cut the text of token ``number``; it needs no escapes in a JSON string."""
    return _TEXT.piece(number * size_bytes, size_bytes)


def usage_of(request: ChatRequest, tokens: int) -> Usage:
    """Count the tokens of a finished answer."""
    prompt = request.prompt_tokens
    return Usage(prompt_tokens=prompt, completion_tokens=tokens, total_tokens=prompt + tokens)


def finish_reason(request: ChatRequest, tokens: int) -> FinishReason:
    """Tell why an answer of so many tokens ends: ``length`` at the request's limit, else ``stop``."""
    return "length" if tokens >= request.most_tokens else "stop"


class Texts(Form[bytes]):
    """The texts of the tokens, for the answer in one piece."""

    def __init__(self, size_bytes: int) -> None:
        self._size_bytes = size_bytes

    def chunk(self, number: int) -> bytes:
        """Cut the text of one token."""
        return token(number, self._size_bytes)


class Frames(Form[bytes]):
    """The frames of a stream: the role, a delta per token, the finish reason, the usage if requested, ``[DONE]``."""

    heartbeat = b": still here\n\n"
    has_terminator = True

    def __init__(self, request: ChatRequest, answer_id: str, created: int, size_bytes: int) -> None:
        self._request = request
        self._size_bytes = size_bytes
        shared = {"id": answer_id, "object": "chat.completion.chunk", "created": created, "model": request.model}
        self._common = json.dumps(shared, separators=(",", ":"))[1:-1]
        self._counts = request.stream_options is not None and bool(request.stream_options.include_usage)
        delta = self._frame('{"content":"|"}')
        self._before, _, self._after = delta.rpartition(b"|")
        self.preface = self._frame('{"role":"assistant","content":""}')

    def chunk(self, number: int) -> bytes:
        """Encode the delta of one token."""
        return b"%b%b%b" % (self._before, token(number, self._size_bytes), self._after)

    def terminator(self, chunks: int) -> bytes:
        """Encode the finish reason, the usage and ``[DONE]``."""
        last = self._frame("{}", f'"{finish_reason(self._request, chunks)}"')
        if self._counts:
            usage = usage_of(self._request, chunks).model_dump_json()
            last += f'data: {{{self._common},"choices":[],"usage":{usage}}}\n\n'.encode()
        return last + b"data: [DONE]\n\n"

    def error(self, message: str) -> bytes:
        """Encode an error in the interface's own form."""
        return b"data: %b\n\n" % error_response(message, "server_error").model_dump_json().encode()

    def _frame(self, delta: str, reason: str = "null") -> bytes:
        choice = f'{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{reason}}}'
        usage = ',"usage":null' if self._counts else ""  # in every frame but the last, which has the usage
        return f'data: {{{self._common},"choices":[{choice}]{usage}}}\n\n'.encode()
