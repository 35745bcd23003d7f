"""The settings: from the command line, else the environment, else the default; validated before anything starts."""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NoReturn

ENVIRONMENT_PREFIX = "TARGET_APP_"


@dataclass(frozen=True, slots=True)
class Settings:
    """How the app is served."""

    host: str
    port: int
    metrics_port: int
    http: str
    grace_s: int
    log_level: str


@dataclass(frozen=True, slots=True)
class _Option:
    name: str
    default: str
    parse: Callable[[str], object]
    help: str

    @property
    def flag(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def variable(self) -> str:
        return ENVIRONMENT_PREFIX + self.name.upper()


def _port(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > 65535:
        raise ValueError("is not a port: 0 to 65535, where 0 takes a free one")
    return int(value)


def _seconds(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value) > 3600:
        raise ValueError("is not a whole number of seconds from 0 to 3600")
    return int(value)


def _host(value: str) -> str:
    if not value:
        raise ValueError("is not a host name or address")
    return value


def _one_of(*choices: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in choices:
            raise ValueError("is none of " + ", ".join(choices))
        return value

    return parse


_OPTIONS = (
    _Option("host", "127.0.0.1", _host, "address to listen on, for the app and its metrics"),
    _Option("port", "8000", _port, "the app's port; 0 takes a free one"),
    _Option("metrics_port", "9101", _port, "the metrics' port; 0 takes a free one"),
    _Option("http", "httptools", _one_of("httptools", "h11"), "HTTP parser: httptools or h11"),
    _Option("grace_s", "5", _seconds, "seconds that streams under way have to end in at SIGTERM or Ctrl-C"),
    _Option(
        "log_level",
        "info",
        _one_of("critical", "error", "warning", "info", "debug"),
        "critical, error, warning, info or debug",
    ),
)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, and exit status 2."""
        self.exit(2, f"{self.prog}: {message}\n")


def read_settings(arguments: Sequence[str] | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings. What is wrong ends the process with exit status 2 and one line that names it and its value."""
    parser = _Parser(
        prog="target_app",
        description="The sample streaming app: one stream per wire format, each measured.",
        epilog="Each option can also come from the environment variable that stands beside it.",
        allow_abbrev=False,
    )
    for option in _OPTIONS:
        text = f"{option.help} [{option.variable}; default {option.default}]"
        parser.add_argument(option.flag, dest=option.name, metavar="VALUE", help=text)
    given = vars(parser.parse_args(arguments))
    values = {option.name: _value(parser, option, given[option.name], environment) for option in _OPTIONS}
    if values["port"] and values["port"] == values["metrics_port"]:
        parser.error(f"--port and --metrics-port are both {values['port']}: the metrics need a port of their own")
    return Settings(**values)  # type: ignore[arg-type]


def _value(parser: _Parser, option: _Option, given: str | None, environment: Mapping[str, str]) -> object:
    name, value = option.flag, given
    if value is None:
        name, value = option.variable, environment.get(option.variable) or option.default
    try:
        return option.parse(value)
    except ValueError as error:
        parser.error(f"{name}: {value!r} {error}")
