"""Writes the help of ``locust`` with the options of streamgauge and of a locustfile.

Locust's own ``--help`` ends before it loads the locustfile, so it can show neither.
"""

from pathlib import Path

from locust.argument_parser import get_parser
from locust.util.load_locustfile import load_locustfile

import streamgauge.load  # noqa: F401 - adds its options


def option_help(locustfile: Path | None) -> str:
    """Return the help; without a locustfile it has the options that any scenario has."""
    if locustfile is not None:
        load_locustfile(str(locustfile.resolve()))
    parser = get_parser(default_config_files=[])
    parser.prog = "locust"
    text: str = parser.format_help()
    return text
