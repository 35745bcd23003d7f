"""The client metrics' own port: a server in a thread and an event loop of its own, so that no scrape runs on the loop
that measures.
"""

import atexit
import logging
from collections.abc import Callable
from typing import Any

import gevent
from gevent.event import Event
from gevent.monkey import get_original
from gevent.pywsgi import WSGIServer

from streamgauge.exporter.page import WsgiApp

logger = logging.getLogger(__name__)

#: Longest wait for the server's thread when the process ends.
_END_S = 5.0


class MetricsPortError(OSError):
    """The port is not available; the text says why."""


def serve(host: str, port: int, make_app: Callable[[], WsgiApp]) -> int:
    """Serve on ``host`` and ``port`` for as long as the process lives; 0 takes a free port. Returns the port.

    ``make_app`` is called in the server's thread: locks that gevent has patched belong to one event loop. Raises
    ``MetricsPortError``.
    """
    lock: Any = get_original("threading", "Lock")  # a thread that gevent makes would be a greenlet of this loop
    ready, ended = lock(), lock()
    found: list[int | str] = []
    wakes: list[Any] = []
    ready.acquire()
    ended.acquire()

    def run() -> None:
        hub = gevent.get_hub()
        try:
            server = WSGIServer((host, port), make_app(), log=None, error_log=logger)
            server.start()
        except (OSError, OverflowError) as error:
            found.append(getattr(error, "strerror", None) or str(error))
            return
        else:
            found.append(server.server_port)
            wakes.append(hub.loop.async_())
        finally:
            ready.release()
        exiting = Event()
        wakes[0].start(exiting.set)
        exiting.wait()
        server.stop(timeout=0)
        hub.destroy(destroy_loop=True)
        ended.release()

    def end() -> None:
        wakes[0].send()
        ended.acquire(timeout=_END_S)

    get_original("_thread", "start_new_thread")(run, ())
    ready.acquire()
    (outcome,) = found
    if isinstance(outcome, str):
        raise MetricsPortError(outcome)
    atexit.register(end)  # the interpreter crashes if it ends while a thread runs an event loop
    return outcome
