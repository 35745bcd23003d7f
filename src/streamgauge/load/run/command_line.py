"""Writes the command that repeats a run, from the options that were in force: those of the web form included."""

import re
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any

from locust.argument_parser import LocustArgumentParser, get_parser

from streamgauge.load.option import Lines
from streamgauge.load.slo_options import SLO
from streamgauge.report.hidden import HIDDEN, without_password, without_secrets

#: Options that say where a run is started and shown, not what it does.
_ELSEWHERE = re.compile(
    r"headless|autostart|autoquit|worker|master|expect_workers|web_|tls_|class_picker|json|csv|html|log|print_stats|"
    r"only_summary|reset_stats$|show|list|version|config|stream_result_dir|stream_metrics|equal_weights|enable_rebal|"
    r"skip_log|exit_code|profile|tags$|exclude_tags$"
)
_WRITTEN_BY_US = ("num_users", "spawn_rate", "run_time", "host", "locustfile", "user_classes")


def command_line(parsed: Any, *, users: int, host: str, locustfile: str) -> str:
    """Return a ``locust`` command, quoted for a shell; what opens doors is replaced by ``…``."""
    words = ["locust", "-f", locustfile, "--headless", "-u", str(users)]
    words += ["-r", f"{float(parsed.spawn_rate):g}"] if getattr(parsed, "spawn_rate", None) else []
    words += ["-t", f"{int(parsed.run_time)}s"] if getattr(parsed, "run_time", None) else []
    words += ["-H", without_password(host)] if host else []
    words += [word for option in _options(parsed) for word in option]
    words += [str(name) for name in getattr(parsed, "user_classes", None) or ()]
    return shlex.join(words).replace("'" + HIDDEN + "'", HIDDEN)


def _options(parsed: Any) -> Iterator[list[str]]:
    """Yield each option whose value is not its default, with its value."""
    parser, defaults = _parser_and_defaults()
    secrets = parser.secret_args_included_in_web_ui
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to list them
        names = [name for name in action.option_strings if name.startswith("--")]
        if not names or action.dest in _WRITTEN_BY_US or _ELSEWHERE.match(action.dest):
            continue
        value = getattr(parsed, action.dest, None)
        if value in (None, "", [], _default(defaults, action.dest)):
            continue
        if isinstance(value, bool):
            yield [names[0]]
        elif action.dest in secrets:
            yield [names[0], HIDDEN]
        else:
            yield from ([names[0], without_secrets(str(each))] for each in _values(action, value))


@cache
def _parser_and_defaults() -> tuple[LocustArgumentParser, Any]:
    """Return Locust's parser and the defaults of its options; making it takes a while, in which no stream is read."""
    parser = get_parser()
    return parser, parser.parse_args(args=[], env_vars={}, config_file_contents="")


def _default(defaults: Any, dest: str) -> Any:
    """Return the default of an option; rules of a file are none, since the command may run in another directory."""
    return "" if dest == SLO.dest else getattr(defaults, dest, None)


def _values(action: Any, value: Any) -> list[Any]:
    """Return the values of an option that can be repeated; those of ours are one per line."""
    if isinstance(value, list):
        return value
    return str(value).split("\n") if isinstance(action, Lines) else [value]
