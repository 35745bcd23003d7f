"""The names of our options on Locust's command line and in the environment.

The full name of every option begins with ``--stream-``, which no option of a locustfile or of another plugin does. Some
have a short name as well, such as ``--idle-timeout``, with ``LOCUST_IDLE_TIMEOUT``. Where a locustfile or a plugin has
an option of that name, the name is theirs.
"""

import os
from collections.abc import Callable
from typing import Any

from locust.event import EventHook

PREFIX = "--stream-"
#: Full names that have a short one: the same without ``stream-``.
_WITH_SHORT_NAME = frozenset(
    PREFIX + each
    for each in (
        "shape",
        "slo",
        *("first-chunk-timeout", "idle-timeout", "total-timeout", "refusal-pause"),
        *("connect-to", "resolve", "unix-socket"),
        *("proxy", "insecure", "ca-file", "client-cert", "client-key", "server-name"),
        "warm-up",
        *("result-dir", "metrics-port", "metrics-host", "metrics-linger"),
    )
)


def dest(flag: str) -> str:
    """Return the name of an option in Locust's parsed options and in the web form."""
    return flag.removeprefix("--").replace("-", "_")


def variable(flag: str) -> str:
    """Return the environment variable of an option."""
    return "LOCUST_" + dest(flag).upper()


def add_argument(parser: Any, flag: str, *, section: str, include_in_web_ui: bool = True, **settings: Any) -> None:
    """Add an option to a section of ``--help``, with its full name, and with its short name unless that is taken.

    A default that the locustfile has set (``parser.set_defaults(stream_end="event:done")``) replaces that in
    ``settings``. Ends the process with status 2 if the full name is taken.
    """
    default = parser.get_default(dest(flag))
    settings |= {} if default is None else {"default": default}
    taken = {name for action in parser._actions for name in action.option_strings}  # noqa: SLF001 - not public
    if flag in taken:
        ours = "this is an option of streamgauge; rename that of the locustfile or of the other plugin"
        parser.error(
            f"{flag}: {ours if flag.startswith(PREFIX) else 'already taken; rename the option of the scenario'}"
        )
    names = (flag, *(each for each in _short(flag) if each not in taken))
    variables = [name for name in map(variable, names) if name in os.environ]
    action = _group(parser, section).add_argument(*names, env_var=(variables or [variable(flag)])[0], **settings)
    # Locust's parser marks only what is added to it, not to a group of it.
    action.include_in_web_ui = include_in_web_ui
    action.is_secret = action.is_required = action.is_multiple = False


def _group(parser: Any, title: str) -> Any:
    """Return the group of this title, a new one if there is none."""
    groups = parser._action_groups  # noqa: SLF001 - not public
    return next((each for each in groups if each.title == title), None) or parser.add_argument_group(title)


def _short(flag: str) -> tuple[str, ...]:
    return ("--" + flag.removeprefix(PREFIX),) if flag in _WITH_SHORT_NAME else ()


def add_after_listeners(hook: EventHook, add: Callable[[Any], None]) -> None:
    """Call ``add`` with the parser once all listeners of ``hook``, which add options of others, have been called."""
    fire: Any = hook.fire

    def fire_and_add(*, reverse: bool = False, **kwargs: Any) -> None:
        fire(reverse=reverse, **kwargs)
        add(kwargs["parser"])

    hook.fire = fire_and_add  # type: ignore[method-assign]
