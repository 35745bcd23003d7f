"""Plain requests, such as logins, by the names and with the arguments of Locust's own clients."""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from streamgauge.client.http.arguments import HeaderArgument, ParamsArgument, read_arguments
from streamgauge.client.response import MAX_BODY_BYTES, Body
from streamgauge.load.calls import MAX_REDIRECTS, Calls
from streamgauge.load.caught_response import CaughtResponse

if TYPE_CHECKING:
    from streamgauge.client.read.process_context import ProcessContext


class PlainRequests(Calls):
    """Adds a method for each of HTTP's."""

    #: Where plain requests are counted, so that they are no streams of the run.
    _uncounted: "ProcessContext | None" = None

    def request(
        self,
        method: str,
        url: str,
        *,
        name: str | None = None,
        headers: HeaderArgument = None,
        params: ParamsArgument = None,
        json: Any = None,
        data: Any = None,
        timeout: float | None = None,
        catch_response: bool = False,
        context: Mapping[str, Any] | None = None,
        max_body_bytes: int = MAX_BODY_BYTES,
        **more: Any,
    ) -> CaughtResponse:
        """Send a plain request, such as a login, and return its whole response; also as ``get``, ``post``, ….

        It uses the connections, cookies, headers and network settings of the streams, fires one ``request`` event of
        Locust's under the method's name, and is no stream of the result. The arguments are those of Locust's clients;
        ``timeout`` is the limit of the whole request in seconds, beside the time limits of the streams. A status from
        400 on, and a request without a whole response, are failures. Wrong arguments raise as in ``stream``.
        """
        body = Body(max_body_bytes)
        try:
            given = read_arguments(headers, params, json, data, more)
            more.pop("stream", None)
            limits = self._limits({**more, **({} if timeout is None else {"total_timeout_s": timeout})}, "request")
        except TypeError as error:
            self._refuse_call("request", error)
            raise
        request = self._request(method, url, given, {"Accept": "*/*"})
        redirects = MAX_REDIRECTS if given.max_redirects is None else given.max_redirects
        plan = body.plan(name or request.target.resource.partition("?")[0], request, limits, redirects)
        self._uncounted = self._uncounted or self._process_context.uncounted()
        started_at = time.time()
        exchange, drive = self._begun(plan, self._uncounted)
        drive()
        response = CaughtResponse.of(exchange, body)

        def report(exception: Exception | None) -> None:
            self._environment.events.request.fire(
                request_type=request.method,
                name=plan.name,
                response_time=exchange.record.duration_s * 1000,
                response_length=len(response.content),
                exception=exception,
                context={**self._context(), **(context or {})},
                response=response,
                start_time=started_at,
                url=request.target.url,
            )

        if catch_response:
            return response.caught_by(report)
        report(response.result())
        return response

    def get(self, url: str, **more: Any) -> CaughtResponse:
        """Send a GET request."""
        return self.request("GET", url, **more)

    def options(self, url: str, **more: Any) -> CaughtResponse:
        """Send an OPTIONS request."""
        return self.request("OPTIONS", url, **more)

    def head(self, url: str, **more: Any) -> CaughtResponse:
        """Send a HEAD request. It follows redirects only with ``allow_redirects=True``, as in requests."""
        return self.request("HEAD", url, **{"allow_redirects": False, **more})

    def post(self, url: str, data: Any = None, json: Any = None, **more: Any) -> CaughtResponse:
        """Send a POST request."""
        return self.request("POST", url, data=data, json=json, **more)

    def put(self, url: str, data: Any = None, **more: Any) -> CaughtResponse:
        """Send a PUT request."""
        return self.request("PUT", url, data=data, **more)

    def patch(self, url: str, data: Any = None, **more: Any) -> CaughtResponse:
        """Send a PATCH request."""
        return self.request("PATCH", url, data=data, **more)

    def delete(self, url: str, **more: Any) -> CaughtResponse:
        """Send a DELETE request."""
        return self.request("DELETE", url, **more)
