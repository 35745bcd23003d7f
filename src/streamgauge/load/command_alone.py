"""Starts Locust without its configuration files, and otherwise as the command ``locust`` does.

A ``locust.conf`` or a ``pyproject.toml`` that happens to lie in the working directory would change where the streams of
``streamgauge run URL`` lead, and how many there are.
"""

from typing import Any

from locust import argument_parser
from locust.main import main


class _Parser(argument_parser.LocustArgumentParser):
    """Locust's parser of the command line, which reads no file that the command line does not name."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **{**named, "default_config_files": []})


def run_alone() -> None:
    """Run Locust on the words of this process's command line, and end the process."""
    argument_parser.LocustArgumentParser = _Parser  # type: ignore[misc]
    main()
