"""Stop a ramp when its run stops: Locust would go on giving users to workers."""

from collections.abc import Callable

from locust.dispatch import UsersDispatcher


def while_running(dispatcher: type[UsersDispatcher], running: Callable[[], bool]) -> type[UsersDispatcher]:
    """Return a ``dispatcher`` that ends its ramp once ``running`` is false, so that no draining worker starts users."""

    class Dispatcher(dispatcher):  # type: ignore[valid-type, misc]
        def __next__(self) -> dict[str, dict[str, int]]:
            users: dict[str, dict[str, int]] = super().__next__()
            if not running():
                raise StopIteration
            return users

    return Dispatcher
