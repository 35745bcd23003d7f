"""The user's ``route`` callback: an error in it costs the label of a request, never the request."""

import logging
from collections.abc import Callable

from streamgauge.asgi.interface import Scope
from streamgauge.asgi.routes import UNMATCHED

logger = logging.getLogger("streamgauge.asgi")


class RouteCallback:
    """``callback`` as a function that always returns a label: ``none`` if it raises an error or returns no string."""

    def __init__(self, callback: Callable[[Scope], str]) -> None:
        self._callback = callback
        self._logged = False

    def __call__(self, scope: Scope) -> str:
        """Return the label of ``scope``."""
        error: Exception | None = None
        try:
            label: object = self._callback(scope)
        except Exception as raised:
            label, error = None, raised
        if isinstance(label, str):
            return label
        if not self._logged:
            self._logged = True
            got = repr(label) if error is None else f"{type(error).__name__}: {error}"
            logger.error(
                "route=%r: expected a label for every scope, got %s; such requests are counted under %r",
                self._callback,
                got,
                UNMATCHED,
                exc_info=error,
            )
        return UNMATCHED
