"""The options of a scenario, as users read them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from streamgauge.client.connect.routing import Network
from streamgauge.client.http.statuses import Statuses
from streamgauge.wire.messages import Message
from streamgauge.wire.rules import Rules

#: Longest pause of a refused user before its next stream.
REFUSAL_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class ScenarioOptions:
    """The options that are set. None keeps the value of the scenario's own stream."""

    path: str | None = None
    protocol: str | None = None
    method: str | None = None
    body: bytes | None = None
    send: tuple[Message, ...] | None = None
    end: Rules | None = None
    error: Rules | None = None
    chunk: Rules | None = None
    status: Statuses | None = None
    accept: str | None = None
    stamped: bool = False
    include_usage: bool = False
    reconnect: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    """This field and those below apply to all streams."""
    limits: Mapping[str, float | None] = field(default_factory=dict)
    """The limits that are set, by the name of their field in ``Limits``."""
    network: Network = field(default_factory=Network)
    refusal_pause_s: float = REFUSAL_PAUSE_S
