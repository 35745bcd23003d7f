"""The options of one kind of scenario, in a section of their own: in ``locust --help`` and in the web form.

A module of a scenario adds its section when it is imported, so that only runs with that scenario have its options.
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from locust.env import Environment

from streamgauge.load.option import Option, checked
from streamgauge.load.option_names import add_argument


@dataclass(frozen=True, slots=True)
class OptionSection:
    """A section: its title, a sentence on it, and its options, each with its label in the web form."""

    title: str
    help: str
    options: Mapping[Option, str]
    check: Callable[[Environment, Any], None]
    """Get the environment and Locust's parsed options; raise ValueError if no run can start with them."""


_sections: dict[str, OptionSection] = {}


def add_section(section: OptionSection) -> None:
    """Add a section to every parser that Locust makes from now on."""
    _sections[section.title] = section


def add_options_of_sections(parser: Any) -> None:
    """Add the options to Locust's parser, each section as a group of its own."""
    for section in _sections.values():
        group = parser.add_argument_group(section.title, section.help)
        for option in section.options:
            add_argument(
                parser,
                option.flag,
                group=group,
                metavar=option.metavar,
                type=checked(option.read),
                action=option.action,
                default="",
                help=option.help.replace("%", "%%"),
            )


def sections_of_form() -> dict[str, dict[str, tuple[str, str]]]:
    """Return the sections of the web form: in each, label and help of an option by the name of its field."""
    return {
        section.title: {option.dest: (label, option.help) for option, label in section.options.items()}
        for section in _sections.values()
    }


def check_sections(environment: Environment, form: Mapping[str, str] | None = None) -> None:
    """Raise ValueError if no run can start with the options, as the web form changes them."""
    parsed = environment.parsed_options
    if form:
        names = [option.dest for section in _sections.values() for option in section.options]
        texts = {name: form[name] for name in names if name in form}
        parsed = argparse.Namespace(**{**vars(parsed or argparse.Namespace()), **texts})
    for section in _sections.values():
        section.check(environment, parsed)
