"""Where a stream stands, how others end it, and its record once it has ended."""

from streamgauge.client.recording import Recording
from streamgauge.client.skipping import Skipping
from streamgauge.client.state_table import State, StateError, check_transition
from streamgauge.client.states import (
    AwaitingResponse,
    Connecting,
    Ended,
    Routing,
    Streaming,
    WaitingToReconnect,
)
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord
from streamgauge.wire.http1_head import Head

AnyState = Routing | Connecting | AwaitingResponse | Skipping | Streaming | WaitingToReconnect | Ended


class Standing:
    """The state of one stream, which begins in ``ROUTING``."""

    def __init__(self, recording: Recording) -> None:
        self._state: AnyState = Routing()
        self._recording, self._timer = recording, recording.timer

    @property
    def head(self) -> Head | None:
        """The head of the last response; None if none came."""
        return self._recording.head

    def count_from_schedule(self, behind_ns: int) -> None:
        """Let the times of a stream that has just begun count from its scheduled start, ``behind_ns`` earlier."""
        self._recording.count_from_schedule(behind_ns)

    def censor(self) -> None:
        """End a stream that outlasts the run. What has arrived by now counts. Does nothing if it has ended."""
        self._stop(Outcome.CENSORED, "the run ended first")

    def leave(self, why: str) -> None:
        """End a stream that the scenario leaves. What has arrived by now counts. Does nothing if it has ended."""
        self._stop(Outcome.ABORTED, f"the scenario left the stream: {why}")

    def settle(self, record: StreamRecord) -> None:
        """Count a stream that has ended by what the scenario made of its record: see ``StreamPlan.checked_later``."""
        self._recording.count(record)

    def _stop(self, outcome: Outcome = Outcome.COMPLETED, reason: str = "") -> None:
        """End the stream now, unless it has ended or ends with what has arrived by now."""
        raise NotImplementedError

    def _enter(self, state: AnyState) -> None:
        check_transition(self._state.name, state.name)
        self._state = state

    @property
    def state(self) -> State:
        """Where the stream stands."""
        return self._state.name

    @property
    def ended(self) -> bool:
        """Whether the stream has its record."""
        return isinstance(self._state, Ended)

    @property
    def record(self) -> StreamRecord:
        """The record of a stream that has ended. Raises StateError for any other."""
        return self._end_state.record

    def result(self) -> StreamRecord:
        """Return the record of a stream that has ended; raise what a callable of the scenario raised."""
        if self._end_state.error is not None:
            raise self._end_state.error
        return self.record

    @property
    def raised(self) -> bool:
        """Whether a callable of the scenario raised, and so ended the stream."""
        return self._end_state.error is not None

    @property
    def _end_state(self) -> Ended:
        if not isinstance(self._state, Ended):
            raise StateError(f"only a stream that has ended has a record, and this one is {self.state}")
        return self._state
