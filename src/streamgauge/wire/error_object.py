"""Recognises a JSON object that can only be the report of an error, in a stream whose own data is not known.

A member named ``error`` alone proves nothing: a training run has one for its loss, a log one for what it tells of. An
object is a report if

1. its ``type`` is ``error``; or
2. its ``error`` is an object or a text that is not empty, or true, and all its other members are of the kind that go
   with an error: ``code``, ``status``, ``message``, … (``_ENVELOPE``); or
3. it is a JSON-RPC 2.0 response whose ``error`` has a ``code`` and a ``message`` (its section 5.1).
"""

from dataclasses import dataclass
from typing import Any

from streamgauge.wire.frame import Frame
from streamgauge.wire.rules import Rule, message_of

#: The members that may stand beside ``error`` in its report, and hold no data of the stream's own.
_ENVELOPE = {
    "code",
    "detail",
    "details",
    "error",
    "error_code",
    "error_message",
    "error_type",
    "message",
    "ok",
    "param",
    "request_id",
    "status",
    "status_code",
    "success",
}


@dataclass(frozen=True, slots=True)
class ErrorObject(Rule):
    """A frame that is such a report."""

    @property
    def guard(self) -> bytes:
        """See ``Rule``."""
        return b'"error"'

    def matches(self, frame: Frame) -> bool:
        """See ``Rule``."""
        return _is_report(frame.json)

    def said(self, frame: Frame) -> str:
        """See ``Rule``."""
        value = frame.json
        error = value.get("error")
        return message_of((None if error is True else error) or value.get("message") or value)


def _is_report(value: Any) -> bool:
    if not isinstance(value, dict):
        return False
    if value.get("type") == "error":
        return True
    error = value.get("error")
    if error is not True and not (error and isinstance(error, dict | str)):
        return False
    if value.get("jsonrpc") == "2.0":
        return isinstance(error, dict) and "code" in error and "message" in error
    return value.keys() <= _ENVELOPE
