"""What the documents tell their readers to type, and what of this repository they name."""

import json
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.doors.conftest import ROOT

FILES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)`([^`]+)`(?!`)")
#: Programs of others, which documents name as tools of the reader's own.
FOREIGN = {"curl", "kill", "py-spy", "ss", "top", "uvicorn", "pre-commit"}
OURS = {"make", "streamgauge", "locust", "docker", "pip", "python", "deploy/load"}
#: Prints the options of Locust with ours, and what is wrong with each of the command lines that it reads.
_LOCUST = """
import argparse, contextlib, importlib, io, json, pkgutil, sys
import loadtests
for each in pkgutil.iter_modules(loadtests.__path__):
    importlib.import_module(f"loadtests.{each.name}")  # declares the options of its own
from locust.argument_parser import get_parser
parser = get_parser()
options = sorted({each for action in parser._actions for each in action.option_strings})
def problem(arguments):
    with contextlib.redirect_stderr(io.StringIO()) as said:
        try:
            parser.parse_args(arguments)
        except SystemExit:
            return said.getvalue()
    return ""
json.dump([options, [problem(each) for each in json.load(sys.stdin)]], sys.stdout)
"""


@dataclass(frozen=True)
class Block:
    """A fenced block of a document."""

    file: Path
    number: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}-{self.number}-{self.kind or 'plain'}"

    @property
    def commands(self) -> list[str]:
        """What a reader types of it, a command each."""
        lines = self.text.replace("\\\n", " ").splitlines()
        return [line.removeprefix("$ ") for line in lines if self.kind == "sh" or line.startswith("$ ")]


BLOCKS = [
    Block(file, number, *found) for file in FILES for number, found in enumerate(_BLOCK.findall(file.read_text()), 1)
]
#: Each code span outside of blocks, with the file that it is first in.
SPANS = {
    " ".join(span.split()): file
    for file in reversed(FILES)
    for span in _SPAN.findall(_BLOCK.sub("", file.read_text()).replace("\\|", "|"))
}


def words(command: str) -> list[str]:
    """The words of a command, of which the first is the program without the folder that it is installed in.

    What is left to the reader is an ellipsis, which no option takes.
    """
    first, *rest = shlex.split(command.replace("…", "x"), comments=True)
    return [first.removeprefix(".venv/bin/"), *rest]


COMMANDS = {
    command: file
    for command, file in {
        **{span: file for span, file in SPANS.items() if re.match(r"(\.venv/bin/)?[a-z/-]+ [^=({]", span)},
        **{each: block.file for block in BLOCKS for each in block.commands if block.kind in ("console", "sh")},
    }.items()
    if words(command)[0] in OURS | FOREIGN or command not in SPANS
}
#: Shell settings, which a document shows as lines of a file.
SETTINGS = {each for each in COMMANDS if re.match(r"[A-Z_]+=", each)}


@cache
def locust(*commands: tuple[str, ...]) -> tuple[list[str], dict[tuple[str, ...], str]]:
    """Locust's options with ours, and what it has against command lines."""
    known = subprocess.run(
        [sys.executable, "-c", _LOCUST], input=json.dumps(commands), capture_output=True, text=True, check=True
    )
    options, problems = json.loads(known.stdout)
    return options, dict(zip(commands, problems, strict=True))


@cache
def help_of(*command: str) -> str:
    """What a Python program says of itself."""
    done = subprocess.run(
        [sys.executable, *command, "--help"], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
