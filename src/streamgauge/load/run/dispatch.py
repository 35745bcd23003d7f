"""Users are given out to workers only while the run goes on: Locust by itself goes on with a ramp after a stop."""

from collections.abc import Callable

from locust.dispatch import UsersDispatcher


def while_running(dispatcher: type[UsersDispatcher], running: Callable[[], bool]) -> type[UsersDispatcher]:
    """A ``dispatcher`` that ends its ramp when ``running`` says no, so that no worker starts users while it drains."""

    class Dispatcher(dispatcher):  # type: ignore[valid-type, misc]
        def __next__(self) -> dict[str, dict[str, int]]:
            users: dict[str, dict[str, int]] = super().__next__()
            if not running():
                raise StopIteration
            return users

    return Dispatcher
