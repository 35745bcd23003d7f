"""What a run is asked for: Locust's options and those of the stack's locustfile, as the master's web form takes them.

Locust keeps what was last typed into its form. So every field is sent, at its default where nothing else is given.
"""

import os
from argparse import ArgumentTypeError
from dataclasses import dataclass
from typing import Any

os.environ.setdefault("LOCUST_SKIP_MONKEY_PATCH", "1")

from locust.argument_parser import default_args_dict, get_locustfiles_locally, get_parser, parse_locustfile_option
from locust.main import merge_locustfiles_content
from locust.util.timespan import parse_timespan

import streamgauge.load  # noqa: F401  adds our options
from streamgauge.runner.locust_web import Form

#: The stack's own service, and the locustfile of its paths.
SAMPLE = "http://app:8000"
MIX = "loadtests/locustfile.py"
USERS, RUN_TIME_S, RAMP_S = 100, 60, 5
#: Locust's own options that a run can have of its own.
PER_RUN = {"num_users", "spawn_rate", "run_time", "host", "user_classes", "profile"}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"expected a whole number above 0, got {text!r}")
    return int(text)


def _rate(text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate < float("inf"):
        raise ArgumentTypeError(f"expected a number above 0, got {text!r}")
    return rate


def _run_time(text: str) -> int:
    try:
        seconds = parse_timespan(text)
    except ValueError:
        seconds = 0
    if seconds < 1:
        raise ArgumentTypeError(f"expected a time such as 60, 60s, 3m or 1h30m, got {text!r}")
    return seconds


#: Locust's own checks do not say what they got.
CHECKS = {"num_users": _number, "spawn_rate": _rate, "run_time": _run_time}


@dataclass(frozen=True, slots=True)
class Scenario:
    """A run as it is asked for."""

    host: str
    users: int
    run_time_s: int
    shaped: bool
    """Whether a shape of the locustfile says how many users there are, and when the run ends."""
    is_sample_mix: bool
    form: Form


def read_scenario(arguments: list[str], own: int) -> Scenario:
    """Read the arguments, of which the last ``own`` are of this run; a wrong one ends the process with status 2."""
    locustfile = parse_locustfile_option(arguments)
    classes, shapes, _, shape = merge_locustfiles_content(get_locustfiles_locally(locustfile))
    parser = get_parser()
    parser.prog = "make load"
    for action in parser._actions:  # noqa: SLF001  argparse has no other list of them
        action.type = CHECKS.get(action.dest, action.type)
    options = parser.parse_args(arguments)
    _check(parser, options, parser.parse_args(arguments[: len(arguments) - own]))
    if unknown := set(options.user_classes or ()) - set(classes):
        parser.error(f"expected user classes of {sorted(classes)}, got {sorted(unknown)}")
    users = USERS if options.num_users is None else options.num_users
    run_time_s = options.run_time or RUN_TIME_S
    form = [
        ("user_count", str(users)),
        ("spawn_rate", f"{options.spawn_rate or users / min(RAMP_S, run_time_s / 4):g}"),
        ("run_time", f"{run_time_s}s"),
        ("host", options.host or ""),
        ("profile", options.profile or ""),
        *(("user_classes", name) for name in options.user_classes or classes),
        *(("shape_class", name) for name in shapes if shape),
        *_extra_fields(parser, options),
    ]
    return Scenario(
        host=(options.host or "").rstrip("/"),
        users=users,
        run_time_s=run_time_s,
        shaped=shape is not None,
        is_sample_mix=options.locustfile == MIX and not getattr(options, "stream_path", ""),
        form=form,
    )


def _check(parser: Any, options: Any, of_stack: Any) -> None:
    """Refuse options that differ from the stack's and that a run cannot have of its own."""
    fixed = set(default_args_dict()) - PER_RUN | set(vars(options)) - set(parser.args_included_in_web_ui)
    for action in parser._actions:  # noqa: SLF001  argparse has no other list of them
        if action.dest in fixed - PER_RUN and getattr(options, action.dest) != getattr(of_stack, action.dest):
            flag = action.option_strings[-1]
            parser.error(f"argument {flag}: a run cannot change it; set it in LOCUST_ARGS when the stack starts")


def _extra_fields(parser: Any, options: Any) -> Form:
    """The options that Locust does not have by itself, as the form sends them."""
    own = default_args_dict()
    fields: Form = []
    for name in parser.args_included_in_web_ui:
        if name in own or not hasattr(options, name):
            continue
        value = getattr(options, name)
        if isinstance(value, bool):
            fields.append((name, "true" if value else "false"))
        elif isinstance(value, list):
            fields += [(name, str(each)) for each in value or [""]]
        else:
            fields.append((name, "" if value is None else str(value)))
    return fields
