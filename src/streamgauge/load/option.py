"""One option that holds a text: how it is declared, checked and read."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from streamgauge.load.option_names import dest


def checked(read: Callable[[str], object]) -> Callable[[str], str]:
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
    """An option that holds a text."""

    flag: str
    metavar: str
    read: Callable[[str], Any]
    help: str
    action: Any = "store"
    default: Callable[[], str] = str
    """Returns its text where it is not set; empty for *not set*."""

    @property
    def dest(self) -> str:
        """Its name in Locust's parsed options and in the web form."""
        return dest(self.flag)

    def value(self, parsed: Any, unset: Any = None) -> Any:
        """Return the value in Locust's parsed options, or ``unset``. Raises ValueError."""
        text = getattr(parsed, self.dest, "") or ""
        try:
            return self.read(str(text)) if text else unset
        except ValueError as error:
            raise ValueError(f"{self.flag}: {error}") from None
