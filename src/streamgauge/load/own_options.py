"""Options that a scenario declares for itself.

One call of :func:`declare_options` when the locustfile is imported is all: ``--help``, the web form, the environment
(``LOCUST_…``), Locust's configuration files, workers and the command in the report follow.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streamgauge.load.option import Lines, Option
from streamgauge.load.option_names import PREFIX

if TYPE_CHECKING:
    from locust.env import Environment

#: Gets the environment and Locust's parsed options, with which a run is to start; raises ValueError if none can.
Check = Callable[["Environment", Any], None]
#: What is checked beyond single options, by heading.
_checks: dict[str, Check] = {}
#: The options by heading and flag, in the order in which they were declared.
_declared: dict[str, dict[str, Option]] = {}


def declare_options(heading: str, *options: Option, check: Check | None = None) -> None:
    """Add options of a scenario under a heading of ``--help`` and of the web form.

    Give each a flag that begins with the scenario's name, such as ``--slow-reader-rate``. A user reads the value with
    ``self.value_of(option)``. ``check`` looks at all options together: it gets the environment and Locust's parsed
    options, and raises ValueError if no run can start with them. Raises ValueError for a flag that begins with
    ``--stream-``, which is streamgauge's own, or that stands under another heading.
    """
    for option in options:
        if not option.flag.startswith("--") or option.flag.startswith(PREFIX):
            raise ValueError(f"expected a flag such as --my-scenario-rate, not below {PREFIX}, got {option.flag!r}")
        if other := next((title for title in _declared if title != heading and option.flag in _declared[title]), None):
            raise ValueError(f"{option.flag}: already declared under {other!r}")
    # Locust loads a locustfile by its path: what another one has imported is then declared twice, and is the same.
    _declared.setdefault(heading, {}).update({option.flag: option for option in options})
    if check is not None:
        _checks[heading] = check


def own_sections() -> dict[str, tuple[Option, ...]]:
    """Return the options by heading."""
    return {heading: tuple(options.values()) for heading, options in _declared.items()}


def own_options() -> tuple[Option, ...]:
    """Return all options that scenarios have declared."""
    return tuple(option for section in own_sections().values() for option in section)


def add_own_options(parser: Any) -> None:
    """Add the options to Locust's parser."""
    for heading, options in own_sections().items():
        for option in options:
            option.add_to(parser, heading)


def check_own_options(environment: "Environment", parsed: Any) -> None:
    """Raise ValueError, which names the option and its value, if no run can start with the options."""
    for option in own_options():
        option.value(parsed)
    for check in _checks.values():
        check(environment, parsed)


def has_lines(option: Option) -> bool:
    """Return whether an option can have several values, one per line."""
    return option.action is Lines
