"""Lets Locust follow a shape: the number of users is that of the shape, second by second."""

import logging
from typing import Any

import gevent
from locust import LoadTestShape
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING, Runner

from streamgauge.load.shapes.shape_options import plan_of_users
from streamgauge.load.shapes.shape_record import ShapeRecord

#: Locust logs each change of the number of users in these words. With a shape that is several lines every second.
_CHANGES = ("Shape test updating", "Ramping to", "All users spawned", "Sending spawn jobs", "Your selected spawn rate")


class UserShape(LoadTestShape):
    """The shape of a run, which Locust asks about once a second."""

    abstract = True  # Locust does not collect it from a locustfile
    use_common_options = True  # the number of users and the run time are the defaults of its parameters

    def __init__(self, environment: Environment) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._environment = environment
        self.runner: Runner | None = environment.runner
        #: The run under way, or the last one.
        self.record: ShapeRecord | None = None
        self._wanted, self._rate = 0, 1.0

    def tick(self) -> tuple[int, float] | None:
        """Return the number of users for the next second, and a spawn rate that takes a second; None at the end."""
        if self.runner is None:
            return None
        if self.runner.state not in (STATE_SPAWNING, STATE_RUNNING):
            if _is_starting(self.runner):
                self.reset_time()  # type: ignore[no-untyped-call]
                return self._wanted, self._rate
            self._begin(self.runner)
        t_s = self.get_run_time()  # type: ignore[no-untyped-call]
        if self.record is None:
            return None
        plan, second = self.record.plan, round(t_s)
        self.record.note(second, self.runner.user_count)
        if plan.end_s is not None and t_s >= plan.end_s:
            return None
        wanted = int(plan.wanted(second))
        if wanted != self._wanted:
            self._rate = float(abs(wanted - self._wanted))
        self._wanted = wanted
        return wanted, self._rate

    def _begin(self, runner: Runner) -> None:
        """Begin at 0 s. A master whose workers are not there yet comes here every second until they are."""
        plan = plan_of_users(self._environment.parsed_options)
        self.record = None if plan is None else ShapeRecord(plan)
        self._wanted, self._rate = 0, 1.0
        runner.shape_last_tick = None
        self.reset_time()  # type: ignore[no-untyped-call]


def _is_starting(runner: Runner) -> bool:
    """Whether a run in one process is about to begin, as while it is prepared: another start would end this one."""
    starting = runner.spawning_greenlet
    return starting is not None and not starting.dead


def follow_shape(environment: Environment, options: Any) -> None:
    """Give the environment the shape that ``options`` set, or none, before a run starts.

    Leaves a shape class of the locustfile alone. Raises ValueError if both are there.
    """
    own = environment.shape_class
    if plan_of_users(options) is None:
        if isinstance(own, UserShape):
            environment.shape_class = None
    elif own is None:
        environment.shape_class = UserShape(environment)
        _keep_quiet()
    elif not isinstance(own, UserShape):
        name = type(own).__name__
        raise ValueError(f"--stream-shape: the locustfile has a shape of its own, {name}; remove one of the two")


def forget_run_time(environment: Environment) -> None:
    """Keep Locust from stopping a later run: it sets a timer to the run time after ``--autostart`` with a shape.

    Call it after other listeners to the end of a run are there: they may read the run time.
    """
    options = environment.parsed_options
    if options is None or options.headless or not getattr(options, "autostart", False):
        return

    def forget(**_: Any) -> None:
        environment.events.test_stop.remove_listener(forget)
        if options.run_time and shape_of(environment) is not None:
            gevent.spawn_later(1.0, _restore, options, options.run_time)
            options.run_time = None

    environment.events.test_stop.add_listener(forget)


def _restore(options: Any, run_time: int) -> None:
    if options.run_time is None:
        options.run_time = run_time


def shape_of(environment: Environment) -> UserShape | None:
    """Return the shape that the users of a run follow; None if they follow none of ours."""
    shape: Any = environment.shape_class
    return shape if isinstance(shape, UserShape) else None


class _Quiet(logging.Filter):
    """Leaves out what Locust says about each change."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is logged."""
        return not str(record.msg).startswith(_CHANGES)


_QUIET = _Quiet()


def _keep_quiet() -> None:
    logging.getLogger("locust.runners").addFilter(_QUIET)
