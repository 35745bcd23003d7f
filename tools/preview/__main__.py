"""Draw each dashboard from a live Prometheus: ``python -m tools.preview --prometheus URL --output FOLDER``."""

import argparse
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from monitoring.dashboards import DASHBOARDS
from tools.preview.prometheus import Prometheus, QueryError
from tools.preview.queries import PanelQueries
from tools.preview.variables import Window, resolve

_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. The exit status is 0, or 2 for a wrong option or a Prometheus that does not answer."""
    options = _parse(argv)
    from tools.preview.page import draw  # matplotlib takes a second to load: not for --help

    source, window = Prometheus(options.prometheus), Window(options.end - options.last, options.end)
    try:
        for build in DASHBOARDS:
            dashboard = build()
            path = options.output / f"{dashboard['uid']}.png"
            draw(dashboard, PanelQueries(source, resolve(dashboard, source, window, dict(options.set))), path)
            sys.stdout.write(f"tools.preview: {path}\n")
    except QueryError as error:
        return _fail(f"--prometheus: {error}")
    except OSError as error:
        return _fail(f"--output: expected a folder to write to, got {str(options.output)!r}: {error}")
    return 0


def _parse(argv: Sequence[str] | None) -> Any:
    parser = argparse.ArgumentParser(prog="python -m tools.preview", description=__doc__)
    add = parser.add_argument
    add("--prometheus", required=True, metavar="URL", help="Prometheus's address, such as http://127.0.0.1:9090")
    add("--output", type=Path, required=True, metavar="FOLDER", help="folder for the pictures, one PNG per dashboard")
    add("--last", type=_span_s, default=900.0, metavar="SPAN", help="time range such as 90s, 15m or 6h (default 15m)")
    add("--end", type=float, default=time.time(), metavar="TIME", help="its end in Unix seconds (default now)")
    add("--set", type=_setting, action="append", default=[], metavar="NAME=VALUE", help="a variable; may be repeated")
    return parser.parse_args(argv)


def _span_s(text: str) -> float:
    match = re.fullmatch(r"(\d+)([smhd])", text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError(f"expected a time range such as 90s, 15m or 6h, got {text!r}")
    return float(match[1]) * _UNITS_S[match[2]]


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"expected NAME=VALUE, got {text!r}")
    return name, value


def _fail(text: str) -> int:
    sys.stderr.write(f"tools.preview: {text}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
