"""The option for SLO rules, and the rules in ``pyproject.toml`` of the working directory, which are its default."""

import tomllib
from pathlib import Path
from typing import Any

from streamgauge.load.option import Lines, Option
from streamgauge.verdict.slo.grammar import read_rules
from streamgauge.verdict.slo.rule import Rule

FILE = "pyproject.toml"
_TABLE = f"{FILE}, [tool.streamgauge] slo"


class _FileRules(str):
    """The rules of the file, one per line, or the problem with them, which matters only if no option wins."""

    problem: str

    def __new__(cls, text: str = "", problem: str = "") -> "_FileRules":
        """Make a text that is not empty where there is a problem, since an empty one means that there are no rules."""
        made = super().__new__(cls, text or problem)
        made.problem = problem
        return made


def _file_rules() -> _FileRules:
    """Return the rules in the working directory's file; empty if it has none."""
    try:
        with Path(FILE).open("rb") as file:
            found = tomllib.load(file).get("tool", {}).get("streamgauge", {}).get("slo", [])
    except FileNotFoundError:
        return _FileRules()
    except (OSError, ValueError, AttributeError) as error:
        return _FileRules(problem=f"{_TABLE}: cannot be read: {error}")
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        return _FileRules(problem=f"{_TABLE}: expected a list of texts, such as ['failed.ratio < 1%'], got {found!r}")
    text = "\n".join(found)
    try:
        read_rules(text)
    except ValueError as error:
        return _FileRules(problem=f"{_TABLE}: {error}")
    return _FileRules(text)


def _read(text: str) -> tuple[Rule, ...]:
    """Read the rules. Locust's parser also reads the default, on many occasions: ``slo_rules`` reports its problem."""
    return () if isinstance(text, _FileRules) and text.problem else read_rules(text)


SLO = Option(
    "--stream-slo",
    "RULE",
    _read,
    "Rule that the run must meet to pass, such as 'time_to_first_chunk.p99 < 200ms' or 'failed == 0'; "
    "repeat the option, or write one rule per line",
    Lines,
    preset=_file_rules,
)


def slo_rules(parsed: Any) -> tuple[Rule, ...]:
    """Return the rules in Locust's parsed options. Raises ValueError that names the option or file and the rule."""
    of_file = _file_rules()
    if of_file.problem and of_file == getattr(parsed, SLO.dest, ""):
        raise ValueError(of_file.problem)
    rules: tuple[Rule, ...] = SLO.value(parsed, ())
    return rules


def slo_source(parsed: Any) -> str:
    """Return in words where the rules in Locust's parsed options were given; empty if there are none."""
    given, of_file = getattr(parsed, SLO.dest, "") or "", _file_rules()
    if not given.strip():
        return ""
    if given == of_file:
        return f"{FILE} in the working directory"
    return SLO.flag + (f"; those of {FILE} are not used" if of_file else "")
