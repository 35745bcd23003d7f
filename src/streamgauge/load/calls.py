"""What the streams and the plain requests of a user have in common: their host, settings, connections and cookies."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from gevent import GreenletExit
from locust.exception import StopUser

from streamgauge.client.connect.routing import Network
from streamgauge.client.connect.target import NoHostError, Params, Target, target_of
from streamgauge.client.exchange import Exchange
from streamgauge.client.http.arguments import Arguments, no_such_argument
from streamgauge.client.http.request import Request, merged
from streamgauge.client.plan import Limits, StreamPlan
from streamgauge.client.read.process_context import ProcessContext
from streamgauge.client.session import Session
from streamgauge.client.short.short_stream import ShortStream
from streamgauge.load.pause import Pause
from streamgauge.load.usage import refuse_run

if TYPE_CHECKING:
    from locust.env import Environment

USER_AGENT = "streamgauge"
MAX_REDIRECTS = 10


class Calls:
    """Makes requests to one host through ``network``. Keeps connections and cookies between them.

    Each call gets ``limits`` unless it names others. ``headers`` and ``run_limits`` come from the options of the run:
    they apply to every call and override its own.
    """

    def __init__(
        self,
        environment: "Environment",
        process_context: ProcessContext,
        host: str | None,
        *,
        limits: Limits | None = None,
        headers: Mapping[str, str] | None = None,
        run_limits: Mapping[str, float | None] | None = None,
        network: Network | None = None,
        context: Any = dict,
    ) -> None:
        self.host = host
        self.limits = limits or Limits()
        self._headers = headers
        self._run_limits = run_limits or {}
        self._environment = environment
        self._process_context = process_context
        self._context = context
        self._network = (network or Network()).reached_at(host)
        self._session = Session(self._network, stopped_by=(GreenletExit,))

    def _request(self, method: str, url: str, given: Arguments, fields: Mapping[str, str]) -> Request:
        """Make a request with the ``fields`` of its kind, those of the call, and those of the run."""
        ours = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity", **fields}
        if given.removed:
            ours = {name: value for name, value in ours.items() if name.lower() not in given.removed}
        target = self._target(url, given.params)
        return Request(method.upper(), target, merged(ours, given.headers, self._headers), given.body)

    def _refuse_call(self, call: str, error: TypeError) -> None:
        """End a run whose first call is wrong: Locust would log the error, and call again until the run's end."""
        if not self._process_context.process_stats.all_stats:
            refuse_run(self._environment, f"self.client.{call}(): {error}")

    def _target(self, url: str, params: Params) -> Target:
        try:
            return self._network.named(target_of(url, self.host, params))
        except NoHostError as error:  # no user of the run can do anything
            refuse_run(self._environment, f"--host: {error}")
            raise StopUser from None

    def _limits(self, given: Mapping[str, Any], call: str = "stream") -> Limits:
        if unknown := set(given) - set(Limits.__slots__):
            raise no_such_argument(call, min(unknown))
        for name, value in given.items():
            if not (value is None or isinstance(value, int | float)):
                raise TypeError(f"{name}: expected a number, got {value!r}")
        if not (given or self._run_limits):
            return self.limits
        defaults = {name: getattr(self.limits, name) for name in Limits.__slots__}
        return Limits(**{**defaults, **given, **self._run_limits})

    def _begun(self, plan: StreamPlan, context: ProcessContext) -> tuple[Exchange, Callable[[], None]]:
        """Begin an exchange; return it, and what drives it to its end."""
        context.reactor.poll_if_overdue()
        pause = Pause()
        exchange = Exchange(plan, context, on_pause=pause.end)
        return exchange, partial(self._session.run, exchange, pause.wait)

    def _begun_short(
        self, plan: StreamPlan, context: ProcessContext
    ) -> tuple[Exchange | ShortStream, Callable[[], None]]:
        """Begin a stream that goes the short way if it can; else an exchange."""
        pause = Pause()
        short = self._session.short(plan, context, pause.end)
        if short is None:
            return self._begun(plan, context)
        context.reactor.poll_if_overdue()
        return short, partial(self._session.run_short, short, pause.wait)

    def close(self) -> None:
        """Close the idle connections."""
        self._session.close()
