"""What the checks of a stream's frames follow from its plan and its format: the same for all streams of one plan."""

from streamgauge.client.plan import StreamPlan
from streamgauge.wire.format import Format
from streamgauge.wire.rules import OFF, EventIs, Rules
from streamgauge.wire.sequence import EventId

#: Line ends of transfer chunks are CRLF, and those of the events that need no check LF.
_IN_NO_EVENT = b"\r\r"


class CheckPlan:
    """The rules of one plan for bodies of one format."""

    __slots__ = (
        "chunk",
        "count",
        "counts_only",
        "end",
        "end_is_named",
        "ends_itself",
        "error",
        "error_guards",
        "every_frame",
        "guards",
        "inspected",
        "sifts",
        "tells",
        "tells_errors",
        "watched",
    )

    def __init__(self, plan: StreamPlan, wire_format: Format) -> None:
        #: Whether the stream must end with the format's own end, which only the decoder sees.
        self.ends_itself = wire_format.own_end is not None and plan.end in (None, wire_format.own_end)
        self.end = OFF if plan.end is None or self.ends_itself else plan.end
        #: The number of the chunk that is the named end; None if there is none.
        self.count = self.end.count
        #: Whether the stream must end with an end.
        self.end_is_named = self.ends_itself or self.end is not OFF
        self.tells_errors = plan.error is None
        self.error = wire_format.error if plan.error is None else plan.error
        #: The guards of ``error``; None if every frame may report an error.
        self.error_guards = None if self.error.usually else _guards_of(self.error)
        self.chunk = plan.chunk
        rules = (self.end, self.error, *([] if plan.chunk is None else [plan.chunk]))
        #: Whether any callable of the scenario sees frames, and may want to act at once.
        self.watched = plan.on_chunk is not None or any(each.has_callbacks for each in rules)
        #: Whether chunks without a guard need no check, apart from SSE ids.
        self.counts_only = (
            (plan.sequence is None or isinstance(plan.sequence, EventId))
            and not (plan.reconnect or plan.stamped or plan.on_chunk)
            and plan.chunk is None
            and self.count is None
        )
        #: Byte strings; a frame that contains none of them is what frames usually are. None if all must be parsed.
        self.guards = _guards_of(*rules)
        #: Whether the decoder must return frames that are no chunks.
        self.every_frame = plan.needs_every_frame(wire_format)
        if self.end.usually or self.error.usually or (plan.chunk is None and self.every_frame):
            self.guards = None
        #: Whether there is anything to sift.
        self.sifts = self.guards != () or plan.sequence is not None or plan.chunk is not None or self.count is not None
        #: Whether ends and errors come beside the chunks.
        self.tells = wire_format.tells_beside_chunks
        #: For event streams with guards: the names of events to parse, and texts that make any event one of them.
        self.inspected = _inspected(self.error, self.end)

    @classmethod
    def of(cls, plan: StreamPlan, wire_format: Format) -> "CheckPlan":
        """Return the rules of a plan, which are made for its first stream."""
        found = plan.kept.get(wire_format)
        if found is None:
            found = plan.kept[wire_format] = cls(plan, wire_format)
        assert isinstance(found, cls)
        return found

    def may_report_error(self, frame: bytes) -> bool:
        """Whether a frame may report an error, so that it must be parsed."""
        guards = self.error_guards
        return guards is None or any(frame.find(guard) >= 0 for guard in guards)


def _inspected(error: Rules, end: Rules) -> tuple[frozenset[bytes], tuple[bytes, ...]]:
    rules = (*error.on_frames, *end.on_frames)
    names = frozenset(rule.guard for rule in rules if isinstance(rule, EventIs))
    texts = dict.fromkeys(rule.guard for rule in rules if not isinstance(rule, EventIs))
    return names, tuple(texts) or (_IN_NO_EVENT,)


def _guards_of(*rules: Rules) -> tuple[bytes, ...] | None:
    """Return the guards of all rules, without those that contain another; None if every frame must be parsed."""
    each = [found.guards for found in rules]
    if None in each:
        return None
    guards = {guard for found in each for guard in found or ()}
    return tuple(guard for guard in guards if not any(other in guard for other in guards - {guard}))
