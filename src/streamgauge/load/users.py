"""The user class that scenarios are made of."""

from typing import Any

from locust import User
from locust.env import Environment

from streamgauge.client.request import merged
from streamgauge.load import plugin
from streamgauge.load.client import StreamClient
from streamgauge.load.options import scenario_options
from streamgauge.measure.record import StreamRecord
from streamgauge.wire.decoder import ACCEPT
from streamgauge.wire.end import End


class StreamUser(User):
    """A Locust user whose ``client`` streams.

    ``self.client.stream(…)`` runs any stream; ``self.play(…)`` runs the scenario's own, with what the user of the
    scenario set in its place by the options ``--stream-…``.
    """

    abstract = True

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.options = scenario_options(environment.parsed_options)
        self.client = StreamClient(
            environment,
            plugin.gauge_of(environment).instruments,
            self.host or environment.host,
            limits=self.options.limits,
            network=self.options.network,
            context=self.context,
        )

    def play(
        self,
        path: str,
        *,
        method: str = "GET",
        protocol: str = "auto",
        end: End | None = None,
        name: str | None = None,
        headers: dict[str, str] | None = None,
        stamped: bool = False,
        reconnect: int = 0,
        **more: Any,
    ) -> StreamRecord:
        """Run the stream of this scenario; see ``StreamClient.stream``.

        Where the user names a path of their own, the scenario's end, name, parameters and body, which belong to the
        scenario's own path, give way to what the user set or to none.
        """
        options = self.options
        accept = {"Accept": options.accept or ACCEPT.get(protocol, "*/*")}
        if options.path is not None:
            end, name, more = None, None, {key: more[key] for key in more.keys() - {"params", "json", "data"}}
        if options.body is not None:
            more = {**more, "data": options.body, "json": None}
        default_method = "POST" if options.body is not None and options.method is None and method == "GET" else method
        return self.client.stream(
            options.method or default_method,
            options.path or path,
            protocol=protocol,
            end=options.end or end,
            name=name,
            headers=merged(accept, headers, options.headers),
            stamped=options.stamped or stamped,
            reconnect=(options.reconnect if protocol in ("auto", "sse") else 0) or reconnect,
            **more,
        )

    def on_stop(self) -> None:
        """Close what this user keeps open."""
        self.client.close()


def stream_users(environment: Environment) -> list[type[StreamUser]]:
    """The user classes of a run that stream."""
    return [each for each in environment.user_classes if issubclass(each, StreamUser)]
