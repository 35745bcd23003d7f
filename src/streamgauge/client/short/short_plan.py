"""What all streams of one plan have in common if they go the short way, and whether they may."""

from streamgauge.client.http.pool import allows_another
from streamgauge.client.http.redirect import is_redirect
from streamgauge.client.plan import StreamPlan
from streamgauge.client.read.check_plan import CheckPlan
from streamgauge.client.read.short_streams import SHORT_NS
from streamgauge.client.short.whole_body import LAST
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.decoder import MAX_CHUNK_BYTES, BodyDescription
from streamgauge.wire.errors import ProtocolError
from streamgauge.wire.format import Format
from streamgauge.wire.formats import AUTO, FORMATS, resolve, shown_by
from streamgauge.wire.frame import Frame
from streamgauge.wire.http1_body import framing_of
from streamgauge.wire.http1_head import Head, HeadParser
from streamgauge.wire.sse_fast_path import CLOSING_BYTES

#: Time limits are kept by the exchange; shorter ones could be exceeded before there is one.
_SHORTEST_LIMIT_S = 5 * SHORT_NS / 1e9
#: A larger request does not go the short way, since the kernel may not take it at once.
_MOST_BYTES = 16_384
#: How many heads and last events are known; most services have one of each, or one per second.
_MOST_KNOWN = 64
#: The short way is given up once it was in vain this often more than it worked.
_MOST_IN_VAIN = 8

EVENT_STREAM: Format = next(each for each in FORMATS.values() if each.fast_path)


class ShortPlan:
    """The short way of one plan."""

    __slots__ = (
        "_decoder",
        "_ends",
        "_guards",
        "_heads",
        "_in_vain",
        "_looks_at_first",
        "_plan",
        "_rules",
        "likely",
        "url",
    )

    def __init__(self, plan: StreamPlan) -> None:
        self._plan, self._rules = plan, CheckPlan.of(plan, EVENT_STREAM)
        self._decoder = EVENT_STREAM.decoder(BodyDescription("", MAX_CHUNK_BYTES))
        self._guards = self._rules.guards or ()
        #: Whether the first chunk may show another format.
        self._looks_at_first = plan.is_open
        #: The URL of the requests.
        self.url = plan.request.target.url
        #: Heads that open a stream of this way, and last events that end one, as they were found before.
        self._heads: dict[bytes, Head] = {}
        self._ends: set[bytes] = set()
        self._in_vain = 0
        #: Whether the next stream is likely to go this way, as the last one could.
        self.likely = False

    @classmethod
    def of(cls, plan: StreamPlan) -> "ShortPlan | None":
        """Return the short way of ``plan``, which is made for its first stream; None if it has none."""
        try:
            found = plan.kept[cls]
        except KeyError:
            found = plan.kept[cls] = cls(plan) if _is_for(plan) else None
        assert found is None or isinstance(found, cls)
        return found

    def note(self, record: StreamRecord) -> None:
        """Note a stream that went the long way: the next one is likely to be as short."""
        fits = record.outcome is Outcome.COMPLETED and record.protocol == EVENT_STREAM.name
        self.likely = fits and record.duration_s * 1e9 < SHORT_NS and self._in_vain < _MOST_IN_VAIN

    def worked(self) -> None:
        """Note a stream that went the short way."""
        if self._in_vain:
            self._in_vain -= 1

    def was_in_vain(self) -> None:
        """Note a stream that was short enough, and had to go the long way after all."""
        self._in_vain += 1
        self.likely = False

    def give_up(self) -> None:
        """Note that this way does not see the end of the service's streams."""
        self._in_vain, self.likely = _MOST_IN_VAIN, False

    def head_of(self, data: bytes) -> tuple[Head, int] | None:
        """Return the head of a response and where its body begins; None unless that is a stream of this way."""
        end = data.find(b"\r\n\r\n") + 4
        if end < 4:
            return None
        head = self._heads.get(data[:end]) or self._checked_head(data[:end])
        return None if head is None else (head, end)

    def _checked_head(self, data: bytes) -> Head | None:
        parser, plan = HeadParser(), self._plan
        try:
            head = parser.feed(data)
            if head is None or parser.rest or not 200 <= head.status < 300 or is_redirect(head):
                return None
            framing = framing_of(head, plan.request.method)
        except ProtocolError:
            return None
        fits = (
            framing.has_transfer_chunks
            and allows_another(plan.request, head, framing)
            and resolve(plan.format, head.fields.get("content-type", "")) is EVENT_STREAM
            and not (head.set_cookies or "content-encoding" in head.fields or plan.accepted(head) or plan.refusal(head))
        )
        if not fits:
            return None
        _make_room(self._heads)
        self._heads[data] = head
        return head

    def counts(self, body: bytes, events: list[bytes]) -> bool:
        """Whether all events of a body are chunks, and the last one ends the stream if anything has to."""
        last = events[-1]
        if len(body) > self._plan.limits.max_chunk_bytes:
            return False
        if self._looks_at_first and shown_by(events[0][:-CLOSING_BYTES], EVENT_STREAM) is not EVENT_STREAM:
            return False
        if len(events) > 1:
            end = len(body) - len(LAST) - len(last) - 2
            for guard in self._guards:
                if body.find(guard, 0, end) >= 0:
                    return False
        return last in self._ends or self._ends_well(last)

    def _ends_well(self, last: bytes) -> bool:
        rules, content = self._rules, last[:-CLOSING_BYTES]
        frame = Frame(content, self._decoder)
        if not self._decoder.is_chunk(content) or (rules.may_report_error(content) and rules.error.match(frame)):
            return False
        if rules.end_is_named and rules.end.match(frame) is None:
            return False
        _make_room(self._ends)
        self._ends.add(last)
        return True


def _make_room(known: dict[bytes, Head] | set[bytes]) -> None:
    if len(known) >= _MOST_KNOWN:
        known.clear()


def _is_for(plan: StreamPlan) -> bool:
    """Whether streams of this plan may go the short way, if the service answers so."""
    limits = plan.limits
    limits_s = (limits.first_chunk_timeout_s, limits.idle_timeout_s, limits.total_timeout_s)
    if type(plan) is not StreamPlan or plan.format not in (AUTO, EVENT_STREAM):
        return False
    rules = CheckPlan.of(plan, EVENT_STREAM)
    return (
        rules.counts_only
        and rules.guards is not None
        and plan.sequence is None
        and plan.read_rate is None
        and plan.receive_window_bytes is None
        and plan.request.target.scheme == "http"
        and len(plan.request.body) <= _MOST_BYTES
        and all(limit_s is None or limit_s >= _SHORTEST_LIMIT_S for limit_s in limits_s)
    )
