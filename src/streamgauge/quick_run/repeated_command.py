"""Writes the user's ``streamgauge run`` command again, with some options changed."""

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from itertools import takewhile
from pathlib import Path

from streamgauge.report.hidden import HIDDEN, without_secrets

_PROGRAM = "streamgauge"
#: A longer command is not written out again.
_LONGEST = 240
#: Short names of the options that a next step changes.
_SHORT = {"--users": "-u", "--run-time": "-t", "--insecure": "-k"}
#: Those without a value, and those that may be given several times, so that another one is added.
_SWITCHES = ("--insecure", "-k")
_REPEATED = ("--slo", "--end")


def program() -> str:
    """Return what a shell needs to start this program again: its name, or the path of one that is not on ``PATH``."""
    own, found = Path(sys.argv[0]), shutil.which(_PROGRAM)
    if own.name != _PROGRAM or (found and own.exists() and own.samefile(found)):
        return _PROGRAM
    return sys.argv[0]


def repeated(words: Sequence[str], curl: Sequence[str], options: Mapping[str, str], *, secret: bool) -> str:
    """Return the command of these ``words``, and of ``curl`` behind them, with ``options``, quoted for a shell.

    A long command, or one with a ``secret``, is not repeated: only what to add to it.
    """
    added = [word for name, value in options.items() for word in (_SHORT.get(name, name), value) if word]
    kept = _without(words, options)
    command = shlex.join([program(), "run", *kept, *added, *curl])
    if secret or len(command) > _LONGEST or "\n" in command:
        return f"the same command with {shlex.join(added)}" + (f", before {curl[0]}" if curl else "")
    return command


def shown(words: Sequence[str], curl: Sequence[str], *, secret: bool) -> str:
    """Return the command of these ``words``, and of ``curl`` behind them.

    With a ``secret``, only the words before headers, bodies and curl.
    """
    if secret:
        kept = takewhile(lambda word: not _may_be_secret(word), words)
        return shlex.join([_PROGRAM, "run", *kept]) + f" {HIDDEN}"
    return shlex.join([_PROGRAM, "run", *words, *curl])


def _may_be_secret(word: str) -> bool:
    opener = word == "--curl" or word.startswith(("-H", "--header")) or "@" in word
    return opener or without_secrets(word) != word


def _without(words: Sequence[str], options: Mapping[str, str]) -> list[str]:
    """Return ``words`` without the options that get another value, and without ``--save``, whose file exists now."""
    replaced = ["--save", *(name for name in options if name not in _REPEATED)]
    shorts = tuple(_SHORT[name] for name in replaced if name in _SHORT)
    kept, skip = [], False
    for word in words:
        if skip:
            skip = False
        elif word in replaced or word in shorts:
            skip = word not in _SWITCHES
        elif not (word.startswith(tuple(f"{name}=" for name in replaced)) or (shorts and word.startswith(shorts))):
            kept.append(word)
    return kept
