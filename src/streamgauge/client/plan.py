"""What is to be done with one stream: the request, how its body is read, and the limits that are put on it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from streamgauge.client.http.request import Request
from streamgauge.wire.decoder import PROTOCOLS
from streamgauge.wire.end import End, check_end
from streamgauge.wire.sequence import NumberSource, check_source
from streamgauge.wire.sse import MAX_EVENT_BYTES

#: Sees each chunk, parsed; returning False hangs up. It runs inside the event loop and must not block.
OnChunk = Callable[[Any], object]


class PlanError(ValueError):
    """A plan that cannot be carried out as it stands."""


#: The limits that no stream is without.
_NEEDED = ("stall_threshold_s", "max_chunk_bytes")


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a stream may keep its reader waiting, in seconds; None sets no limit to a timeout."""

    first_chunk_timeout_s: float | None = 30.0
    idle_timeout_s: float | None = 30.0
    total_timeout_s: float | None = None
    stall_threshold_s: float = 1.0
    """A longer chunk interval is a stall."""
    max_chunk_bytes: int = MAX_EVENT_BYTES

    def __post_init__(self) -> None:
        """Raise PlanError for a limit that is not above zero or not finite, or that has to be there and is not."""
        for name in self.__slots__:
            value = getattr(self, name)
            if value is None and name in _NEEDED:
                raise PlanError(f"{name}: expected a number, got None")
            if value is not None and not value > 0:
                raise PlanError(f"{name}: expected more than 0, got {value!r}")
            if value is not None and math.isinf(value):
                otherwise = "" if name in _NEEDED else ", or None for no limit"
                raise PlanError(f"{name}: expected a finite number{otherwise}, got {value!r}")


@dataclass(frozen=True, slots=True)
class StreamPlan:
    """One stream to be. ``name`` is what it is counted under."""

    name: str
    request: Request
    protocol: str = "auto"
    end: End | None = None
    limits: Limits = field(default_factory=Limits)
    on_chunk: OnChunk | None = None
    max_redirects: int = 10
    """How many redirects are followed; one more is an ``http_error``."""
    sequence: NumberSource | None = None
    """Where each chunk's sequence number is: ``id``, ``json:KEY`` or a callable; None where there is none to check."""
    stamped: bool = False
    """The request asks for send stamps: the delay of the chunks that have one is measured."""
    reconnect: int = 0
    """How many times an event stream that broke off, or ended without its named end, is connected to again."""

    def __post_init__(self) -> None:
        """Raise PlanError or EndError for what does not exist or cannot be."""
        if self.max_redirects < 0:
            raise PlanError(f"max_redirects: expected 0 or more, got {self.max_redirects!r}")
        if self.reconnect < 0:
            raise PlanError(f"reconnect: expected 0 or more, got {self.reconnect!r}")
        if self.reconnect and self.protocol not in ("auto", "sse"):
            raise PlanError(
                f"reconnect: only event streams are connected to again, and the protocol is {self.protocol}"
            )
        if isinstance(self.sequence, str):
            check_source(self.sequence)
        if self.sequence == "id" and self.protocol not in ("auto", "sse", "openai"):
            raise PlanError(f"sequence: 'id' is an SSE event's, and the protocol is {self.protocol}")
        if self.protocol not in PROTOCOLS:
            raise PlanError(f"protocol: expected one of {', '.join(PROTOCOLS)}, got {self.protocol!r}")
        if isinstance(self.end, str):
            check_end(self.end)
            if self.end.startswith("event:") and self.protocol not in ("auto", "sse"):
                raise PlanError(f"end: {self.end!r} names an SSE event, and the protocol is {self.protocol}")
        if self.protocol == "websocket" and self.request.method != "GET":  # an upgrade is always a GET
            object.__setattr__(self, "request", replace(self.request, method="GET"))

    @property
    def wanted_protocol(self) -> str:
        """``protocol``, or ``sse`` where it is ``auto`` and only events have such an end, numbers, or reconnecting."""
        of_events = (
            self.sequence == "id" or self.reconnect > 0 or (isinstance(self.end, str) and self.end.startswith("event:"))
        )
        return "sse" if of_events and self.protocol == "auto" else self.protocol
