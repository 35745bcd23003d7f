"""Extends the form that starts a run in Locust's web UI: sections, labels and help of our options, and error messages.

The UI shows the message of a response ``{"success": false, "message": …}`` above its START button.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from flask import jsonify, request
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING
from locust.util.timespan import parse_timespan
from locust.web import WebUI

from streamgauge.client.connect.target import TargetError
from streamgauge.load.arrivals.arrival_options import ARRIVALS, SEED, is_open
from streamgauge.load.checked_options import checked_options
from streamgauge.load.checks import LONGEST_S
from streamgauge.load.hosts import check_host, check_sockets
from streamgauge.load.shapes.shape_options import SHAPE
from streamgauge.load.slo_options import SLO
from streamgauge.load.warm_up_option import WARM_UP
from streamgauge.load.web.form_fields import form_script_data
from streamgauge.load.web.page_scripts import add_script
from streamgauge.load.web.shape_form import check_shape, keep_shape, options_of_run, take_shape

logger = logging.getLogger(__name__)

#: Flask's name of Locust's view; a base path does not change it.
_SWARM = "locust.swarm"


def extend_form(environment: Environment, web_ui: WebUI) -> None:
    """Check the values of the form of ``web_ui``, and give its fields sections, labels and help."""
    assert web_ui.app is not None
    views = web_ui.app.view_functions
    views[_SWARM] = web_ui.auth_required_if_enabled(_checking(environment, web_ui, views[_SWARM]))
    keep_shape(environment, web_ui)
    # The page has our options in their own order.
    web_ui.app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    add_script(web_ui, "form.js", SECTIONS=form_script_data())


def _checking(environment: Environment, web_ui: WebUI, start: Callable[[], Any]) -> Callable[[], Any]:
    def swarm() -> Any:
        try:
            _check(environment, request.form)
            take_shape(environment, web_ui, request.form)
        except ValueError as error:
            logger.error("%s", error)
            return _refusal(environment, str(error))
        try:
            return start()
        except Exception as error:  # raised by Locust, which reads the form before it starts the run
            logger.exception("Cannot start the run")
            return _refusal(environment, f"Cannot start the run: {type(error).__name__}: {error}")

    return swarm


def _refusal(environment: Environment, message: str) -> Any:
    return jsonify({"success": False, "message": message, "host": environment.host})


def _check(environment: Environment, form: Mapping[str, str]) -> None:
    """Raise ValueError if no run can start with a value of the form; change nothing."""
    _check_run_time(form.get("run_time", ""))
    parsed = options_of_run(environment, form)
    options = checked_options(environment, parsed)
    _check_same_run(environment, parsed)
    if "host" in form:
        try:
            host = form["host"].replace("<", "").replace(">", "")  # as Locust reads it
            check_host(environment, host)
            check_sockets(environment, host, options)
        except TargetError as error:
            raise ValueError(f"Host: {error}") from None
    check_shape(environment, form)


def _check_same_run(environment: Environment, options: Any) -> None:
    """Raise ValueError if an edit during a run would change what the whole of it is judged by, or its arrivals.

    A run keeps its rules and its warm-up; of its arrivals only the limit can change.
    """
    runner = environment.runner
    if runner is None or runner.state not in (STATE_SPAWNING, STATE_RUNNING):
        return
    for option in (SLO, WARM_UP, ARRIVALS, SEED, *([SHAPE] if is_open(options) else [])):
        before, now = (str(getattr(each, option.dest, "") or "") for each in (environment.parsed_options, options))
        if before.splitlines() != now.splitlines():
            raise ValueError(f"{option.flag}: stop the run before you change it from {before!r} to {now!r}")


def _check_run_time(text: str) -> None:
    """Raise ValueError for a run time that no timer can hold; Locust itself refuses what is no time."""
    try:
        seconds = float(parse_timespan(text))
    except ValueError:
        return
    except OverflowError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_S:
        raise ValueError(f"Run time: expected at most {LONGEST_S:g} seconds, got {text!r}")
