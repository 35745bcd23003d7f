"""One option that holds a text: how it is declared, checked and read."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamgauge.load.option_names import add_argument, dest


def _checked(read: Callable[[str], object]) -> Callable[[str], str]:
    """Make a check for argparse that keeps the text."""

    def check(text: str) -> str:
        try:
            if text:
                read(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        return text

    return check


class Lines(argparse._AppendAction):  # noqa: SLF001 - ConfigArgParse gives lists to its subclasses only
    """Joins the values of a repeated option into one text, one value per line: Locust's form splits lists at commas."""

    def __call__(self, parser: Any, namespace: Any, values: Any, option_string: str | None = None) -> None:  # noqa: ARG002
        """Add a value."""
        before = getattr(namespace, self.dest)
        before = "" if before is self.default else before
        setattr(namespace, self.dest, "\n".join(filter(None, (before, values))))


@dataclass(frozen=True, slots=True)
class Option:
    """An option that holds a text.

    ``read`` makes the value of the text, or raises ValueError: "expected …, got …".
    """

    flag: str
    metavar: str
    read: Callable[[str], Any]
    help: str
    action: Any = "store"
    """``Lines`` for an option that can be repeated: one value per line."""
    default: str = ""
    """The text that is read if the option is not set; ``--help`` and the web form show it."""
    label: str = ""
    """The label of its field in the web form; an option of ours has it in ``load/web/form_fields.py``."""
    preset: Callable[[], str] = str
    """Returns the text with which the option starts, such as that of a file; any place that sets the option wins."""

    @property
    def dest(self) -> str:
        """Its name in Locust's parsed options and in the web form."""
        return dest(self.flag)

    @property
    def full_help(self) -> str:
        """The help with the default."""
        return f"{self.help}; default {self.default}" if self.default else self.help

    def add_to(self, parser: Any, section: str) -> None:
        """Add it to Locust's parser, in this section of ``--help``."""
        check = _checked(self.read)
        more = {
            "type": check,
            "action": self.action,
            "default": self.preset(),
            "help": self.full_help.replace("%", "%%"),
        }
        add_argument(parser, self.flag, section=section, metavar=self.metavar, **more)

    def value(self, parsed: Any, unset: Any = None) -> Any:
        """Return the value in Locust's parsed options, or that of the default, or ``unset``. Raises ValueError."""
        text = getattr(parsed, self.dest, "") or self.default
        try:
            return self.read(str(text)) if text else unset
        except ValueError as error:
            raise ValueError(f"{self.flag}: {error}") from None
