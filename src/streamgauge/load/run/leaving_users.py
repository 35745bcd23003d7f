"""Lets users whom a shape removes end their streams, while the shape goes on.

Locust counts such users until they have ended. A shape that rises again meanwhile would get too few users, and Locust
may stop others in their place. And Locust gives up waiting for them, stop timeout included, at the next change.
"""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from gevent.pool import Group
from locust import User
from locust.runners import STATE_RUNNING, STATE_SPAWNING, LocalRunner, Runner
from locust.user.task import LOCUST_STATE_STOPPING, LOCUST_STATE_WAITING

from streamgauge.load.client import StreamClient
from streamgauge.load.process_meter import process_meter_of
from streamgauge.load.shapes.shape_options import shapes_users
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.record import StreamRecord

_leaving: "WeakKeyDictionary[Runner, Group]" = WeakKeyDictionary()


def let_users_leave(runner: Runner) -> None:
    """Stop users of ``runner`` without waiting for them, where a shape of ours removes them during a run."""
    leaving = _leaving[runner] = Group()
    stop_users = runner.stop_users

    def stop(counts: dict[str, int]) -> None:
        shaped = shapes_users(runner.environment.parsed_options)
        if shaped and runner.state in (STATE_SPAWNING, STATE_RUNNING):
            for name, count in counts.items():
                for user in _chosen(runner, name, count):
                    _leave(runner, leaving, user)
            return
        try:
            stop_users(counts)
            leaving.join()  # the stop timeout of each began before
        except KeyboardInterrupt:
            if not (shaped and isinstance(runner, LocalRunner)):
                raise
            end_users(runner)  # Locust, which waits for the end of a shape, would end without a report

    runner.stop_users = stop  # type: ignore[method-assign, assignment]


def end_users(runner: Runner) -> None:
    """End all users of ``runner`` now."""
    runner.user_greenlets.kill(block=True)
    if runner in _leaving:
        _leaving[runner].kill(block=True)


def _chosen(runner: Runner, name: str, count: int) -> list[User]:
    """Return ``count`` users of a class: first those that wait between two tasks, and so have no stream under way."""
    users = [each.args[0] for each in runner.user_greenlets if each.args and type(each.args[0]).__name__ == name]
    users.sort(key=lambda user: user._state != LOCUST_STATE_WAITING)  # noqa: SLF001 - Locust has no public way
    return users[:count]


def _leave(runner: Runner, leaving: Group, user: User) -> None:
    """Ask a user to stop after its task; end it after the stop timeout."""
    greenlet = user.greenlet
    runner.user_greenlets.discard(greenlet)
    leaving.add(greenlet)
    user._group = leaving  # noqa: SLF001 - the user looks itself up there when it stops
    _count_cuts(getattr(user, "client", None), process_meter_of(runner.environment).cut_by_shape)
    gevent.spawn(_end, user, float(runner.environment.stop_timeout or 0.0))


def _count_cuts(client: Any, count: Callable[[], None]) -> None:
    """Call ``count`` for each stream of a client that is cut short from now on."""
    if not isinstance(client, StreamClient):
        return
    report = client._report  # noqa: SLF001 - streams of users that stay are not to pay for this

    def counting(record: StreamRecord, started_at: float) -> None:
        if record.outcome is Outcome.CENSORED:
            count()
        report(record, started_at)

    client._report = counting  # type: ignore[method-assign] # noqa: SLF001


def _end(user: User, stop_timeout_s: float) -> None:
    if user._state != LOCUST_STATE_STOPPING:  # noqa: SLF001 - else its own task has stopped it
        user.stop(force=stop_timeout_s == 0)
    user.greenlet.join(timeout=stop_timeout_s)
    user.greenlet.kill(block=True)
