"""The base class of the users in scenarios."""

import time
from typing import Any

import gevent
from locust import User
from locust.env import Environment
from locust.user.task import LOCUST_STATE_RUNNING, LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from streamgauge.client.backoff import Backoff
from streamgauge.client.http.arguments import HeaderArgument, header_pairs
from streamgauge.client.http.request import type_of
from streamgauge.client.http.statuses import Named as NamedStatuses
from streamgauge.client.plan import format_named
from streamgauge.load.client import StreamClient, can_ask_for_usage
from streamgauge.load.option import Option
from streamgauge.load.options import INCLUDE_USAGE, RECONNECT, SEND, options_of_play, scenario_options
from streamgauge.load.process_meter import process_meter_of
from streamgauge.load.scenario_options import REFUSAL_PAUSE_S
from streamgauge.load.unused import PLAY
from streamgauge.stats.record import StreamRecord
from streamgauge.stats.visible_text import visible
from streamgauge.wire.format import Format
from streamgauge.wire.rules import Named


class StreamUser(User):
    """A Locust user whose ``client`` streams.

    ``self.client.stream(…)`` runs any stream; ``self.play(…)`` runs the scenario's own stream, which the options
    ``--stream-…`` can change. ``--stream-header``, the time limits, ``--stream-refusal-pause`` and the network options
    apply to the streams of both, and override the scenario.
    """

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.options = scenario_options(environment.parsed_options)
        self._meter = process_meter_of(environment)
        #: The options that ``play`` has used in this class.
        self._options_used = self._meter.options_used.setdefault(visible(type(self).__name__), set())
        self._options_set = options_of_play(environment.parsed_options)
        longest_s = self.options.refusal_pause_s
        self.client = StreamClient(
            environment,
            self._meter.process_context,
            self.host or environment.host,
            headers=self.options.headers,
            run_limits=self.options.limits,
            network=self.options.network,
            backoff=Backoff(longest_s) if longest_s else None,
            pause=self._pause_after_refusal,
            context=self.context,
        )

    def play(
        self,
        path: str,
        *,
        method: str = "GET",
        protocol: str = "auto",
        end: Named | None = None,
        error: Named | None = None,
        chunk: Named | None = None,
        status: NamedStatuses | None = None,
        name: str | None = None,
        headers: HeaderArgument = None,
        stamped: bool = False,
        include_usage: bool = False,
        reconnect: int = 0,
        **more: Any,
    ) -> StreamRecord:
        """Run the stream of this scenario; see ``StreamClient.stream``.

        With ``--stream-path``, the end, error, chunk, status, name, parameters, body and messages of the scenario are
        left out, since they belong to the scenario's own path. With ``--stream-protocol``, so are what belongs to the
        scenario's own protocol, if that is another: the end, error, chunk, sequence, messages, reconnects and
        ``include_usage``.
        """
        options, wire_format = self.options, format_named(self.options.protocol or protocol)
        if wire_format.name != protocol:
            end = error = chunk = None
            include_usage, reconnect = False, 0
            more = {key: more[key] for key in more.keys() - {"sequence", "send"}}
        accept = {"Accept": options.accept or wire_format.accept}
        if options.path is not None:
            end = error = chunk = status = name = None
            more = {key: more[key] for key in more.keys() - {"params", "json", "data", "send"}}
        body_type = {}
        if options.body is not None:
            more = {**more, "data": options.body, "json": None}
            body_type = {} if wire_format.upgrade else type_of(options.body)
        if options.send and wire_format.upgrade:
            more = {**more, "send": options.send}
        asks = options.include_usage and can_ask_for_usage(wire_format, more.get("json"), more.get("data"))
        self._options_used |= {PLAY, *self._options_set} - _useless(wire_format, asks=asks)
        default_method = "POST" if options.body is not None and options.method is None and method == "GET" else method
        return self.client.stream(
            options.method or default_method,
            options.path or path,
            protocol=wire_format.name,
            end=end if options.end is None else options.end,
            error=error if options.error is None else options.error,
            chunk=options.chunk or chunk,
            status=options.status or status,
            name=name,
            headers=[*accept.items(), *body_type.items(), *header_pairs(headers)],
            stamped=options.stamped or stamped,
            include_usage=asks or include_usage,
            reconnect=(options.reconnect if wire_format.can_reconnect else 0) or reconnect,
            **more,
        )

    def value_of(self, option: Option) -> Any:
        """Return the value of an option of the scenario's own, as it is set for this run; see ``declare_options``."""
        return option.value(self.environment.parsed_options)

    def _pause_after_refusal(self, wait_s: float) -> None:
        """Pause after refusals, in Locust's state *waiting*: a run that ends stops such users at once."""
        own = gevent.getcurrent() is self.greenlet and self._state == LOCUST_STATE_RUNNING
        began_s = time.monotonic()
        if own:
            self._state = LOCUST_STATE_WAITING
        elif self._state == LOCUST_STATE_STOPPING:
            wait_s = min(wait_s, REFUSAL_PAUSE_S)
        try:
            gevent.sleep(wait_s)
        finally:
            self._meter.paused(time.monotonic() - began_s)
        if own:
            self._state = LOCUST_STATE_RUNNING

    def on_stop(self) -> None:
        """Close the connections of this user."""
        self.client.close()


def _useless(wire_format: Format, *, asks: bool) -> set[str]:
    """Return the options that a stream of this format cannot use; ``asks``: it can ask for the count of tokens."""
    able = {RECONNECT: wire_format.can_reconnect, SEND: wire_format.upgrade is not None, INCLUDE_USAGE: asks}
    return {option for option, can in able.items() if not can}


def stream_users(environment: Environment) -> list[type[StreamUser]]:
    """Return the user classes of a run that are StreamUsers."""
    return [each for each in environment.user_classes if issubclass(each, StreamUser)]
