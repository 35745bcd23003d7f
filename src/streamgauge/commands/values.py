"""Kinds of values that options take, and what is wrong with a value that is none."""

import math
import re
from importlib.util import find_spec
from pathlib import Path

import click

_RUN_TIME = re.compile(r"(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s?)?", re.ASCII)
_LONGEST_S = 24 * 3600


class Problem(click.ClickException):
    """Something about the call that no single option's kind can tell: one line, exit status 2."""

    exit_code = 2


class RunTime(click.ParamType[int]):
    """A length of time as Locust takes it, in whole seconds: ``30s``, ``2m``, ``1h30m``, ``45``."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Seconds."""
        if isinstance(value, int):
            return value
        found = _RUN_TIME.fullmatch(str(value))
        if found is None or len(str(value)) > 12:
            self.fail(f"{value!r} is no time such as 30s, 2m or 1h30m", param, ctx)
        hours, minutes, seconds = (int(part or 0) for part in found.groups())
        total_s = hours * 3600 + minutes * 60 + seconds
        if not 0 < total_s <= _LONGEST_S:
            self.fail(f"{value!r} is not between 1s and 24h", param, ctx)
        return total_s


class Rate(click.ParamType[float]):
    """A finite number above zero."""

    name = "rate"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Per second."""
        try:
            number = float(str(value))
        except ValueError:
            number = math.nan
        if not (math.isfinite(number) and number > 0):
            self.fail(f"{value!r} is no number above 0", param, ctx)
        return number


class Port(click.IntRange):
    """A TCP port."""

    name = "port"

    def __init__(self) -> None:
        super().__init__(1, 65535)


class NewDirectory(click.ParamType[Path]):
    """A directory to write in; it is made if it is not there."""

    name = "directory"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The directory, absolute, which exists now and takes files."""
        path = Path(str(value)).absolute()
        try:
            path.mkdir(parents=True, exist_ok=True)
            probe = path / f".streamgauge-{id(path):x}"
            probe.touch()
            probe.unlink()
        except (OSError, ValueError) as error:
            self.fail(f"{str(value)!r} cannot be written in: {getattr(error, 'strerror', None) or error}", param, ctx)
        return path


def need(packages: tuple[str, ...], extra: str) -> None:
    """Say in one line what to install, unless all of ``packages`` can be found; none of them is imported."""
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise Problem(f"{missing[0]} is not installed: pip install 'streamgauge[{extra}]'")
