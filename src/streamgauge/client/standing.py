"""Where one stream stands: its state, and once it has ended its record."""

from streamgauge.client.state_table import State, StateError, check_transition
from streamgauge.client.states import AnyState, Ended, Routing
from streamgauge.stats.record import StreamRecord


class Standing:
    """A stream that begins in the state ``ROUTING`` and ends in ``ENDED``."""

    def __init__(self) -> None:
        self._state: AnyState = Routing()

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
