"""Conditional requests (RFC 9110, section 13) for every response that has an entity tag.

No response has a ``Last-Modified``: dates are no condition here, as for any representation without one.
"""

import re
from hashlib import sha256

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from target_app.early_end import run_until_start

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
#: What a 304 repeats of the 200 (RFC 9110, section 15.4.5); all other fields describe a body that is not sent.
_OF_304 = frozenset({b"cache-control", b"content-location", b"date", b"etag", b"expires", b"vary"})


def entity_tag(content: bytes) -> str:
    """Make a strong entity tag for a representation."""
    return f'"{sha256(content).hexdigest()[:20]}"'


class Conditions:
    """Answers 304 or 412 instead of ``app`` where the conditions of a GET or HEAD say so.

    It stands inside the compression, which makes a tag weak: a client's weak tag stands for the strong one here.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the app, until its response starts if the request has a condition."""
        conditional = scope["type"] == "http" and scope["method"] in ("GET", "HEAD")
        asked = Headers(scope=scope) if conditional else Headers()
        if "if-match" not in asked and "if-none-match" not in asked:
            await self.app(scope, receive, send)
            return

        def answered(start: Message) -> Message | None:
            status = _status(asked, start)
            return None if status is None else _start(status, start)

        await run_until_start(self.app, scope, receive, send, answered)


def _status(asked: Headers, start: Message) -> int | None:
    """Evaluate the conditions in the order of section 13.2.2; None if the response is to be sent."""
    tag = Headers(raw=start.get("headers", ())).get("etag")
    # 416 too: a range comes after the conditions.
    if tag is None or not (200 <= start["status"] < 300 or start["status"] == 416):
        return None
    if "if-match" in asked and not _matches(asked.getlist("if-match"), tag, weakly=False):
        return 412
    if "if-none-match" in asked and _matches(asked.getlist("if-none-match"), tag, weakly=True):
        return 304
    return None


def _matches(fields: list[str], tag: str, *, weakly: bool) -> bool:
    """Tell whether a condition lists ``tag``, or is ``*``."""
    listed = ",".join(fields)
    if listed.strip() == "*":
        return True
    if not weakly:
        return not tag.startswith("W/") and tag in _TAG.findall(listed)
    return tag.removeprefix("W/") in {each.removeprefix("W/") for each in _TAG.findall(listed)}


def _start(status: int, start: Message) -> Message:
    fields = [(name, value) for name, value in start["headers"] if name.lower() in _OF_304]
    answer = {"type": "http.response.start", "status": status, "headers": fields}
    if status == 412:
        MutableHeaders(scope=answer)["content-length"] = "0"
    return answer
