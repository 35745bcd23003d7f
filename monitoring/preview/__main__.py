"""Draws each dashboard from a live Prometheus: ``python -m monitoring.preview --prometheus URL --output FOLDER``."""

import argparse
import json
import re
import sys
import time
import urllib.parse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitoring.build import GENERATED
from monitoring.panels import Json
from monitoring.preview.answers import Questions
from monitoring.preview.prometheus import Prometheus, QueryError
from monitoring.preview.scope import Window, resolve

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def main(argv: Sequence[str] | None = None) -> int:
    """The command. Exit status 0, or 2 for a mistake in an option or a Prometheus that does not answer."""
    options = _parse(argv)
    window = Window(options.end - options.last, options.end)
    try:
        for dashboard in options.dashboards:
            path = options.output / f"{dashboard['uid']}.png"
            _draw(dashboard, Prometheus(options.prometheus), window, dict(options.set), path)
            sys.stdout.write(f"monitoring.preview: {path}\n")
    except QueryError as error:
        return _say(f"--prometheus: {error}")
    except OSError as error:
        return _say(f"--output: expected a folder to write to, got {str(options.output)!r}: {error}")
    return 0


def _draw(dashboard: Json, source: Prometheus, window: Window, chosen: dict[str, str], path: Path) -> None:
    from monitoring.preview.page import draw  # matplotlib takes a second to load: not for --help

    draw(dashboard, Questions(source, resolve(dashboard, source, window, chosen)), path)


def _parse(argv: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m monitoring.preview", description=__doc__)
    say = parser.add_argument
    say("--prometheus", type=_address, required=True, metavar="URL", help="where to ask, such as http://127.0.0.1:9090")
    say("--output", type=Path, required=True, metavar="FOLDER", help="where the pictures go, one PNG a dashboard")
    say(
        "--last",
        type=_span_s,
        default=900.0,
        metavar="SPAN",
        help="how much time to show, such as 90s, 15m or 6h (15m)",
    )
    say("--end", type=float, default=None, metavar="TIME", help="where it ends, in Unix seconds (now)")
    say(
        "--set",
        type=_setting,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a variable's value; again and again",
    )
    say("--dashboards", type=_dashboards, default=str(GENERATED), metavar="FOLDER", help="the generated files to draw")
    options = parser.parse_args(argv)
    options.end = time.time() if options.end is None else options.end
    return options


def _address(text: str) -> str:
    parts = urllib.parse.urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise argparse.ArgumentTypeError(f"expected an address such as http://127.0.0.1:9090, got {text!r}")
    return text


def _span_s(text: str) -> float:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError(f"expected a time such as 90s, 15m or 6h, got {text!r}")
    return float(match[1]) * _UNITS_S[match[2]]


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def _dashboards(text: str) -> list[Json]:
    try:
        found = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(Path(text).glob("streamgauge-*.json"))]
    except (OSError, ValueError) as error:
        raise argparse.ArgumentTypeError(
            f"expected a folder that monitoring.build wrote, got {text!r}: {error}"
        ) from None
    if not found:
        raise argparse.ArgumentTypeError(f"expected a folder that monitoring.build wrote, got {text!r}")
    return found


def _say(text: str) -> int:
    sys.stderr.write(f"monitoring.preview: {text}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
