"""Takes the shape of a run from the form that starts it."""

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from flask import request
from locust.env import Environment
from locust.runners import STATE_INIT, STATE_STOPPED
from locust.util.timespan import parse_timespan
from locust.web import WebUI

from streamgauge.load.options import with_form
from streamgauge.load.shapes.shape_options import plan_of_users
from streamgauge.load.shapes.user_shape import follow_shape, shape_of

_EDITED = "Shape: the run under way follows a shape, which sets the number of users; stop the run before you edit it"
#: What the class picker sends for no shape class.
_NO_SHAPE_CLASS = "Default"
_LATE = "Shape: a run cannot take a shape while it is under way; stop it first"


def keep_shape(environment: Environment, web_ui: WebUI) -> None:
    """Keep our shape where the class picker sets none: the field of the form is what says whether there is one."""
    update: Any = web_ui._update_shape_class  # noqa: SLF001 - Locust has no public way

    def update_and_keep(name: str | None) -> None:
        update(name)
        follow_shape(environment, options_of_run(environment, request.form))

    web_ui._update_shape_class = update_and_keep  # type: ignore[method-assign]  # noqa: SLF001


def check_shape(environment: Environment, form: Mapping[str, str]) -> None:
    """Raise ValueError if no run can start with the shape of the form; change nothing."""
    planned, runner = plan_of_users(options_of_run(environment, form)), environment.runner
    picked = form.get("shape_class", _NO_SHAPE_CLASS)
    if planned is not None and picked != _NO_SHAPE_CLASS:
        raise ValueError(f"Shape: {planned.shape.text} and the shape class {picked} are both set; clear one of the two")
    if runner is not None and runner.state not in (STATE_INIT, STATE_STOPPED):
        if shape_of(environment) is not None:
            raise ValueError(_EDITED)
        if planned is not None:
            raise ValueError(_LATE)


def take_shape(environment: Environment, web_ui: WebUI, form: Mapping[str, str]) -> None:
    """Let the run that starts next follow the shape of the form, if it has one.

    Raises ValueError if the locustfile has a shape class.
    """
    runner, parsed = environment.runner, environment.parsed_options
    if parsed is None or (runner is not None and runner.state not in (STATE_INIT, STATE_STOPPED)):
        return
    if form.get("run_time") == "":
        parsed.run_time = None  # Locust keeps that of the run before
    if not web_ui.userclass_picker_is_active:
        follow_shape(environment, options_of_run(environment, form))
    if shape_of(environment) is not None:
        web_ui._cancel_run_time_timer()  # noqa: SLF001 - Locust forgets it for runs with a shape


def options_of_run(environment: Environment, form: Mapping[str, str]) -> Namespace:
    """Return the parsed options with the changes of the form to our options, the number of users and the run time."""
    changed = with_form(environment.parsed_options, form)
    users, run_time = form.get("user_count", ""), form.get("run_time")
    if users.isdecimal():
        changed.num_users = int(users)
    if run_time is not None:
        changed.run_time = _seconds(run_time)
    return changed


def _seconds(text: str) -> int | None:
    """Read a time as Locust does; None for one that it refuses."""
    try:
        return parse_timespan(text) if text else None
    except (ValueError, OverflowError):
        return None
