"""A response whose test may say itself whether the request failed, as in Locust: ``catch_response=True``."""

from collections.abc import Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from locust.exception import CatchResponseError, LocustError
from locust.exception import ResponseError as LocustResponseError

from streamgauge.client.response import Response, ResponseError

#: Fires the request's event with an exception, or with None for a success.
Report = Callable[[Exception | None], None]


@dataclass
class CaughtResponse(Response):
    """A response, and with ``catch_response=True`` a context manager that reports the request at its end."""

    _report: Report | None = field(default=None, repr=False)
    _judged: bool = field(default=False, repr=False)
    _failure: Exception | None = field(default=None, repr=False)

    def caught_by(self, report: Report) -> Self:
        """Let a with-block report this request."""
        self._report = report
        return self

    def success(self) -> None:
        """Count the request as a success, whatever its status is."""
        self._judge(None)

    def failure(self, error: Exception | str) -> None:
        """Count the request as a failure."""
        self._judge(error if isinstance(error, Exception) else CatchResponseError(error))

    def _judge(self, failure: Exception | None) -> None:
        if self._report is None:
            raise LocustError("success() and failure() need catch_response=True and a with-block")
        self._judged, self._failure = True, failure

    def result(self) -> Exception | None:
        """Return why the request failed, by its status alone; None if it did not."""
        return ResponseError(self.error) if self.error else None

    def __enter__(self) -> Self:
        """Let the block judge the response."""
        if self._report is None:
            raise LocustError("a with-block needs catch_response=True")
        return self

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> bool:
        """Report the request. An exception of the block is a failure, and passed on unless it is of the response."""
        assert self._report is not None
        wrong = isinstance(error, ResponseError | LocustResponseError)
        if self._judged:
            self._report(self._failure)
        elif isinstance(error, Exception):
            self._report(error)
        elif error is None:
            self._report(self.result())
        return error is None or wrong
