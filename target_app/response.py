"""The response of a stream: its headers, and closing its generator."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

#: Tells proxies to pass on every chunk at once and to store none.
UNBUFFERED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class ChunkedResponse(StreamingResponse):
    """A streaming response that closes its generator when it ends, instead of at garbage collection."""

    def __init__(
        self,
        chunks: AsyncGenerator[bytes],
        media_type: str,
        headers: Mapping[str, str] | None = None,
        status_code: int = 200,
    ) -> None:
        super().__init__(chunks, status_code, {**UNBUFFERED, **(headers or {})}, media_type)
        self._chunks = chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the chunks, then close their generator."""
        async with aclosing(self._chunks):
            await super().__call__(scope, receive, send)
