"""HEAD for every path that has GET: the header fields of a GET, without its body (RFC 9110, section 9.3.2)."""

from fastapi.exception_handlers import http_exception_handler
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from target_app.early_end import run_until_start


class Head:
    """Runs ``app`` for a HEAD as for a GET, and stops it when its response starts."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app. What is around it must see the method that the client sent, so that is set back at the start."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        def without_body(start: Message) -> Message:
            scope["method"] = "HEAD"
            return start

        scope["method"] = "GET"
        try:
            await run_until_start(self.app, scope, receive, send, without_body)
        finally:
            scope["method"] = "HEAD"


async def answer_http_error(request: Request, error: Exception) -> Response:
    """Answer as FastAPI does; ``Allow`` lists HEAD beside GET, which routes do not know."""
    assert isinstance(error, HTTPException)
    if error.headers and error.headers.get("Allow") == "GET":
        error.headers = {**error.headers, "Allow": "GET, HEAD"}
    return await http_exception_handler(request, error)
