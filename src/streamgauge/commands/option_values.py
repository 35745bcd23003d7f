"""Types of option values. An invalid value is an error that says what was expected and what was given."""

import math
import re
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn, TypeVar

import click

from streamgauge.durations import seconds_of
from streamgauge.verdict.exit_status import ExitStatus

_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_LONGEST_S = 24 * 3600
_Value = TypeVar("_Value")


class Problem(click.ClickException):
    """A usage error that is not about the type of one option's value: one line, exit status 2."""

    exit_code = ExitStatus.USAGE


class Kind(click.ParamType[_Value]):
    """Base of all types of option values."""

    def refuse(
        self, expected: str, value: object, param: click.Parameter | None, ctx: click.Context | None, why: object = ""
    ) -> NoReturn:
        """Raise the error for an invalid value."""
        self.fail(f"expected {expected}, got {str(value)!r}" + (f": {why}" if why else ""), param, ctx)


class Text(Kind[str]):
    """Any text; the command says what it means."""

    name = "text"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:  # noqa: ARG002
        """Return the text."""
        return str(value)


class Whole(Kind[int]):
    """A whole number from ``least`` to ``most``."""

    name = "number"

    def __init__(self, least: int, most: int) -> None:
        self._least, self._most = least, most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        number = int(str(value)) if _WHOLE.fullmatch(str(value)) else None
        if number is None or not self._least <= number <= self._most:
            self.refuse(f"a whole number from {self._least} to {self._most}", value, param, ctx)
        return number


class Port(Whole):
    """A TCP port."""

    name = "port"

    def __init__(self) -> None:
        super().__init__(1, 65535)


class RunTime(Kind[int]):
    """A duration as Locust accepts it, in whole seconds: ``30s``, ``2m``, ``1h30m``, ``45``."""

    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the seconds."""
        if isinstance(value, int):
            return value
        try:
            total_s = seconds_of(str(value))
        except ValueError:
            total_s = math.nan
        if not total_s.is_integer():
            self.refuse("a duration such as 30s, 2m or 1h30m", value, param, ctx)
        if not 0 < total_s <= _LONGEST_S:
            self.refuse("a duration from 1s to 24h", value, param, ctx)
        return int(total_s)


class Rate(Kind[float]):
    """A finite number of at least ``least``; above zero if ``least`` is not given."""

    name = "number"

    def __init__(self, least: float = 0.0) -> None:
        self._least = least

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number > 0 and number >= self._least):
            expected = f"a number of at least {self._least:g}" if self._least else "a number above 0"
            self.refuse(expected, value, param, ctx)
        return number


class OneOf(Kind[str]):
    """One of a few words."""

    name = "word"

    def __init__(self, *words: str) -> None:
        self._words = words

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word."""
        if str(value) not in self._words:
            self.refuse(f"{', '.join(self._words[:-1])} or {self._words[-1]}", value, param, ctx)
        return str(value)


class Existing(Kind[Path]):
    """An existing file or directory."""

    name = "path"

    def __init__(self, what: str) -> None:
        self._what = what

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        path = Path(str(value))
        try:
            path.stat()
        except (OSError, ValueError) as error:
            self.refuse(self._what, value, param, ctx, getattr(error, "strerror", None) or error)
        return path


class NewFile(Kind[Path]):
    """A file to write, in a directory that exists; the command handles ``-``."""

    name = "file"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the path."""
        path = Path(str(value))
        if path.is_dir():
            self.refuse("a file to write", value, param, ctx, "it is a directory")
        if not path.absolute().parent.is_dir():
            self.refuse("a file to write", value, param, ctx, "its directory does not exist")
        return path


class NewDirectory(Kind[Path]):
    """A directory to write in; it is created if it does not exist."""

    name = "directory"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """Return the absolute path of the directory, which exists now and is writable."""
        path = Path(str(value)).absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / f".streamgauge-{id(path):x}"
            probe.touch()
            probe.unlink()
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or error
            self.refuse("a directory to write in", value, param, ctx, why)
        return path


def need(packages: tuple[str, ...], extra: str) -> None:
    """Raise Problem with the command to install unless all ``packages`` are installed. Imports none of them."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise Problem(f"{missing[0]} is not installed: pip install 'streamgauge[{extra}]'")
