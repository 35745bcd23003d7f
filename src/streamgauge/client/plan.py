"""What is to be done with one stream: the request, how its body is read, and the limits that are put on it."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from streamgauge.client.http.opening import Opening, status_of
from streamgauge.client.http.request import Request
from streamgauge.client.http.statuses import ANY_SUCCESS, Statuses
from streamgauge.stats.visible_text import visible
from streamgauge.wire.decoder import MAX_CHUNK_BYTES
from streamgauge.wire.format import Format
from streamgauge.wire.formats import AUTO, FORMATS, resolve
from streamgauge.wire.http1_head import Head
from streamgauge.wire.messages import SendPlan
from streamgauge.wire.rules import OFF, Rules
from streamgauge.wire.sequence import EventId, NumberSource

#: Sees each chunk, parsed; returning False hangs up, raising fails the stream. It runs inside the event loop and must
#: not block.
OnChunk = Callable[[Any], object]


class StreamFailed(Exception):
    """The failure of a stream, with its reason. A scenario may raise it from ``on_chunk`` to fail the stream."""


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
    max_chunk_bytes: int = MAX_CHUNK_BYTES

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
    """One stream to be. ``name`` is what it is counted under; characters that no table can show are escaped."""

    name: str
    request: Request
    format: Format = AUTO
    end: Rules | None = None
    """The named end; None for the format's own, if it has one."""
    limits: Limits = field(default_factory=Limits)
    error: Rules | None = None
    """Which frames report an error; None for those of the format."""
    chunk: Rules | None = None
    """Which frames are chunks; None for those of the format."""
    status: Statuses | None = None
    """The acceptable statuses; None for those that open a stream."""
    on_chunk: OnChunk | None = None
    leaves_by: tuple[type[Exception], ...] = ()
    """What callables of the scenario raise to leave the stream, which is no failure."""
    checked_later: bool = False
    """The scenario judges the record before it counts: ``Exchange.settle``."""
    max_redirects: int = 10
    """How many redirects are followed; one more is an ``http_error``."""
    sequence: NumberSource | None = None
    """Where each chunk's sequence number is; None where there is none to check."""
    stamped: bool = False
    """The request asks for send stamps: the delay of the chunks that have one is measured."""
    reconnect: int = 0
    """How many times an event stream that broke off, or ended without its named end, is connected to again."""
    send: SendPlan | None = None
    """What is sent on a WebSocket after the request's body; None if nothing is."""
    read_rate: float | None = None
    """The most bytes per second that are read, of a reader that is slow on purpose; None for no limit."""
    receive_window_bytes: int | None = None
    """The limit of TCP's receive window; None leaves it to the kernel."""

    kept: dict[object, object] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What ``client.read.check_plan`` (by format) and ``client.short`` have made of it, which all its streams share."""

    def __post_init__(self) -> None:
        """Make the name visible. Raise PlanError for a plan that its format cannot carry out."""
        object.__setattr__(self, "name", visible(self.name))
        if self.max_redirects < 0:
            raise PlanError(f"max_redirects: expected 0 or more, got {self.max_redirects!r}")
        if self.reconnect < 0:
            raise PlanError(f"reconnect: expected 0 or more, got {self.reconnect!r}")
        for name in ("read_rate", "receive_window_bytes"):
            if (value := getattr(self, name)) is not None and not 0 < value < math.inf:
                raise PlanError(f"{name}: expected more than 0, got {value!r}")
        if problem := self._problem_with(self.format):
            raise PlanError(f"{problem}, and the protocol is {self.format.name}")
        if self.format.upgrade and self.request.method != "GET":  # an upgrade is always a GET
            object.__setattr__(self, "request", replace(self.request, method="GET"))

    def _problem_with(self, wire_format: Format) -> str:
        """Say what of the plan a format cannot do; empty where it can do all."""
        if self.reconnect and not wire_format.can_reconnect:
            return "reconnect: only event streams are connected to again"
        if self.send is not None and wire_format.upgrade is None:
            return "send: only a WebSocket sends messages"
        if isinstance(self.sequence, EventId) and not wire_format.has_event_ids:
            return "sequence: 'id' is an SSE event's"
        for option, rules in (("end", self.end), ("error", self.error), ("chunk", self.chunk)):
            if problem := problem_with_rules(rules, wire_format):
                return f"{option}: {problem}"
        return ""

    @property
    def is_open(self) -> bool:
        """Whether the stream's first chunk may decide its format.

        It may not if the scenario looks into the chunks: what its callables and numbers get is the media type's.
        """
        looks = self.on_chunk is not None or self.sequence is not None
        return self.format is AUTO and not looks and not self.reconnect

    def allows(self, wire_format: Format) -> bool:
        """Whether the first chunk may decide for a format, which can then carry out the plan and its rules."""
        return not (self._problem_with(wire_format) or self.needs_every_frame(wire_format))

    def needs_every_frame(self, wire_format: Format) -> bool:
        """Whether the plan's rules look at frames that are no chunks of this format."""
        if not wire_format.tells_beside_chunks:
            return False
        end = OFF if self.end is None or self.end == wire_format.own_end else self.end
        return self.chunk is not None or bool(end.on_frames) or bool(self.error and self.error.on_frames)

    def accepted(self, head: Head) -> str:
        """Say that the scenario accepts a response that opens no stream; empty if it does not."""
        if self.status is None or head.status in ANY_SUCCESS or head.status not in self.status:
            return ""
        return f"{status_of(head)}, which the scenario accepts"

    def opening(self) -> Opening:
        """Make a fresh attempt to open the stream."""
        return Opening(self.request, self.format, self.limits.max_chunk_bytes)

    def refusal(self, head: Head) -> str:
        """Say why a response that opens a stream is not the one that was planned; empty where it is."""
        if self.status is not None and head.status not in self.status:
            return f"{status_of(head)}, and the acceptable statuses are {self.status}"
        if self.reconnect and head.status != 200:
            return status_of(head)
        content_type = head.fields.get("content-type", "")
        found = resolve(self.format, content_type)
        if found.fits(content_type) and not self._problem_with(found):
            return ""
        return f"expected a content type of {' or '.join(self._expected())}, got {content_type!r}"

    def _expected(self) -> list[str]:
        """Return the names of the formats that the response may have."""
        if self.format is not AUTO:
            return [self.format.name]
        return [each.name for each in FORMATS.values() if each.media == each.name and not self._problem_with(each)]


def problem_with_rules(rules: Rules | None, wire_format: Format) -> str:
    """Say why these rules cannot be those of a stream of this format; empty if they can."""
    name = None if rules is None or wire_format.has_events else rules.event_name()
    return "" if name is None else f"{'event:' + name!r} names an SSE event"


def format_named(protocol: str) -> Format:
    """Return the format that ``protocol=`` names. Raises PlanError."""
    if protocol not in FORMATS:
        raise PlanError(f"protocol: expected one of {', '.join(FORMATS)}, got {protocol!r}")
    return FORMATS[protocol]
