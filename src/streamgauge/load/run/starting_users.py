"""Starts users so that a slow one delays only itself.

Locust makes the users of a process one after another, and a worker gives up those that it has not made when the master
asks for more, which with our dispatch is up to ten times a second. A user whose ``__init__`` waits longer, for a login
say, would be there only after the ramp, and so would all users behind it.
"""

from collections import Counter
from typing import Any

import gevent
from gevent.pool import Group
from locust import User
from locust.runners import STATE_INIT, STATE_SPAWNING, STATE_STOPPED, Runner, locust_exception_handler

#: After so many users the event loop does what else is due: those that are made begin, and streams are read.
_AT_ONCE = 10


class StartingUsers:
    """The users of one process that are being made, each in a greenlet of its own."""

    def __init__(self, runner: Runner, *, joined: bool) -> None:
        """Make the users of ``runner`` from now on. ``joined``: let it wait for them each time, as a worker may."""
        self._runner, self._joined = runner, joined
        self._greenlets = Group()
        #: The user class of each user that is being made; and how many of each class are to start.
        self._making: dict[Any, str] = {}
        self._wanted: Counter[str] = Counter()
        #: The classes of which no more are made, since one of them failed.
        self._failed: set[str] = set()
        runner.spawn_users = self.spawn  # type: ignore[method-assign, assignment]
        runner.environment.events.test_start.add_listener(self.on_test_start)
        runner.environment.events.test_stopping.add_listener(self.on_test_stopping)

    def on_test_start(self, **_: Any) -> None:
        """Make users of every class again."""
        self._failed.clear()

    def on_test_stopping(self, **_: Any) -> None:
        """Give up the users that are being made."""
        self._wanted.clear()
        self._making.clear()
        self._greenlets.kill(block=False)

    def spawn(self, counts: dict[str, int], wait: bool = False) -> list[User]:
        """Start so many more users than have started; those that are being made count among them.

        Return those that have started so far. With ``wait`` return once all users have ended.
        """
        if self._runner.state in (STATE_INIT, STATE_STOPPED):
            self._runner.update_state(STATE_SPAWNING)
        started: list[User] = []
        self._wanted, making = Counter(counts), Counter(self._making.values())
        failed = locust_exception_handler(self._runner.environment)
        for name, count in counts.items():
            for number in range(1, count - making[name] + 1):
                greenlet = self._greenlets.spawn(self._start, name, started)
                greenlet.link_exception(failed)
                self._making[greenlet] = name
                if number % _AT_ONCE == 0:
                    gevent.sleep(0)
        gevent.sleep(0)
        if self._joined or wait:
            self.join()
        if wait:
            self._runner.user_greenlets.join()
        return started

    def join(self) -> None:
        """Wait until all users that are being made have started."""
        self._greenlets.join()

    def _start(self, name: str, started: list[User]) -> None:
        """Make a user, and start it unless there are to be fewer users by then."""
        try:
            user = None if name in self._failed else self._made(name)
        except Exception:
            self._failed.add(name)
            raise
        finally:
            self._making.pop(gevent.getcurrent(), None)
        if user is not None and self._wanted[name] > 0:
            self._wanted[name] -= 1
            user.start(self._runner.user_greenlets)
            started.append(user)

    def _made(self, name: str) -> User:
        user = self._runner.user_classes_by_name[name](self._runner.environment)
        if not hasattr(user, "environment"):
            raise AttributeError(f"expected {name}.__init__ to call super().__init__(environment)")
        return user
