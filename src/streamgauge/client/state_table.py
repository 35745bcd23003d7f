"""The states of one stream and the transitions between them, as a table.

1. A stream is in exactly one ``State``. What it needs in this state alone lives in an object of that state
   (``streamgauge.client.states``), from the transition into the state to the transition out of it.
2. ``TRANSITIONS`` lists every transition with its cause. Any other raises ``StateError``: it is a bug in the client,
   whatever the server did.
3. Sending is not a state, since a server may answer before it has the whole request: ``Sending`` runs beside reading.
4. A stream that is connected to again passes through the same states once more. ``streamgauge.client.reconnect``
   decides whether it does.
"""

from collections.abc import Mapping
from enum import StrEnum


class State(StrEnum):
    """Where a stream stands."""

    ROUTING = "routing"
    """Its user looks up the route for the next request."""
    CONNECTING = "connecting"
    """A connection is being made: TCP, a proxy's tunnel, TLS."""
    AWAITING_RESPONSE = "awaiting response"
    """The request is being sent, and the head of the response has not come."""
    SKIPPING = "skipping"
    """The response is a refusal or a redirect: its body is read as far as it comes soon, to keep the connection."""
    STREAMING = "streaming"
    """The body is being read."""
    CLOSING = "closing"
    """The named end has come, and the framing gets a little time to end too; nothing more is a chunk."""
    WAITING_TO_RECONNECT = "waiting to reconnect"
    """The connection broke off, and the time before the next one has not passed."""
    ENDED = "ended"
    """The stream has its record."""


class StateError(Exception):
    """A transition that ``TRANSITIONS`` does not list, or a question that the present state cannot answer."""


#: By state, the states that may follow, and what causes each transition.
TRANSITIONS: Mapping[State, Mapping[State, str]] = {
    State.ROUTING: {
        State.CONNECTING: "the route is known",
        State.AWAITING_RESPONSE: "the user has an idle connection to the origin",
        State.WAITING_TO_RECONNECT: "the host was not found",
        State.ENDED: "the host was not found, a limit was exceeded, or the run ended",
    },
    State.CONNECTING: {
        State.AWAITING_RESPONSE: "the connection is ready",
        State.WAITING_TO_RECONNECT: "no connection could be made",
        State.ENDED: "no connection could be made, a limit was exceeded, or the run ended",
    },
    State.AWAITING_RESPONSE: {
        State.STREAMING: "the head of a response came whose body is the stream",
        State.SKIPPING: "the response is not the stream",
        State.ROUTING: "an idle connection turned out to be closed, and the request may be repeated",
        State.WAITING_TO_RECONNECT: "the connection broke off",
        State.ENDED: "the connection broke off, a limit was exceeded, or the run ended",
    },
    State.SKIPPING: {
        State.ROUTING: "the response was a redirect",
        State.ENDED: "the response was the last one, a limit was exceeded, or the run ended",
    },
    State.STREAMING: {
        State.CLOSING: "the named end came, and the body goes on",
        State.WAITING_TO_RECONNECT: "the body ended or broke off before its named end",
        State.ENDED: "the body ended, broke off or is faulty, a limit was exceeded, the user hung up, or the run ended",
    },
    State.CLOSING: {
        State.ENDED: "the body ended or broke off, it did not end in time, or the user left, or the run ended",
    },
    State.WAITING_TO_RECONNECT: {
        State.ROUTING: "the wait is over",
        State.ENDED: "a limit was exceeded, the last event's id cannot be sent, or the run ended",
    },
    State.ENDED: {},
}


def check_transition(before: State, after: State) -> None:
    """Raise StateError unless the table lists this transition."""
    if after not in TRANSITIONS[before]:
        raise StateError(f"a stream cannot go from {before} to {after}")
