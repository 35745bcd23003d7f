"""Splits a command into words as the shell does for which it was written: bash, or Windows' cmd.

1. The form is told by its marks: ``^"`` and lines that end in ``^`` are cmd's; so is ``""`` inside a quoted word.
2. One pass goes over the characters; each quoting has a reader of its own, which returns the text and where it ends.
3. Nothing is expanded: a variable, a glob or a command substitution stays as it is written.
"""

import re
from collections.abc import Iterator

_CMD = re.compile(r'\^"|\^\s*\n|\^\s*\Z')
_DOUBLED = re.compile(r'"[^"\n]*[^\s"=]""|[{:,\[]""')
_ESCAPES = {
    **dict(zip("ntrabfveE", "\n\t\r\a\b\f\v\x1b\x1b", strict=True)),
    **{each: each for each in "\\'\"?"},
}
_CODES = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
_SPECIAL_IN_DOUBLE_QUOTES = '$`"\\\n'


class QuotingError(ValueError):
    """Raised if a quote is not closed, or if the command has a part that only a shell can run."""


def split(command: str) -> list[str]:
    """Return the words of a command. Raises QuotingError."""
    text = command.replace("\r\n", "\n")
    if _CMD.search(text):
        return list(_cmd_words(_uncaret(text)))
    return list(_cmd_words(text) if _doubles(text) else _bash_words(text))


def _doubles(text: str) -> bool:
    """Whether quotes are doubled inside double quotes, as older browsers write for cmd."""
    return "'" not in text.partition('"')[0] and "\\\n" not in text and _DOUBLED.search(text) is not None


def _bash_words(text: str) -> Iterator[str]:
    word: str | None = None
    at = 0
    while at < len(text):
        each = text[at]
        if each in " \t\n":
            if word is not None:
                yield word
            word, at = None, at + 1
            continue
        if each in ";|&<>" or text.startswith("$(", at) or each == "`":
            raise QuotingError(
                f"expected one curl command, got {text[at : at + 20]!r} after it: quote it, or leave it out"
            )
        if text.startswith("\\\n", at):
            at += 2
            continue
        part, at = _bash_part(text, at)
        word = (word or "") + part
    if word is not None:
        yield word


def _bash_part(text: str, at: int) -> tuple[str, int]:
    """Read what begins at ``at``: a quoted text, an escaped character, or a plain one."""
    if text.startswith(("$'", '$"'), at):
        return _ansi(text, at + 2) if text[at + 1] == "'" else _double_quoted(text, at + 2)
    if text[at] == "'":
        end = text.find("'", at + 1)
        if end < 0:
            raise QuotingError("a quote (') is not closed")
        return text[at + 1 : end], end + 1
    if text[at] == '"':
        return _double_quoted(text, at + 1)
    if text[at] == "\\" and at + 1 < len(text):
        return text[at + 1], at + 2
    return text[at], at + 1


def _double_quoted(text: str, at: int) -> tuple[str, int]:
    found = []
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and at + 1 < len(text) and text[at + 1] in _SPECIAL_IN_DOUBLE_QUOTES:
            found.append(text[at + 1].replace("\n", ""))
            at += 2
        else:
            found.append(text[at])
            at += 1
    if at == len(text):
        raise QuotingError('a quote (") is not closed')
    return "".join(found), at + 1


def _ansi(text: str, at: int) -> tuple[str, int]:
    r"""Read ``$'…'``: escapes such as ``\n``, ``\x41``, ``\\u0021`` and ``\101``."""
    found: list[str] = []
    while at < len(text) and text[at] != "'":
        if text[at] != "\\" or at + 1 == len(text):
            found.append(text[at])
            at += 1
        elif code := _CODES.match(text, at + 1):
            digits = next(filter(None, code.groups()))
            found.append(chr(int(digits, 8 if code[4] else 16)))
            at = code.end()
        else:
            found.append(_ESCAPES.get(text[at + 1], text[at : at + 2]))
            at += 2
    if at == len(text):
        raise QuotingError("a quote ($') is not closed")
    joined = "".join(found)
    # JavaScript writes a character beyond the first plane as two surrogates
    return joined.encode("utf-16", "surrogatepass").decode("utf-16", "replace"), at + 1


def _uncaret(text: str) -> str:
    """Take cmd's escapes away: ``^x`` is x, and after ``^`` at the end of a line the next character is itself."""
    found, at = [], 0
    while at < len(text):
        if text[at] != "^":
            found.append(text[at])
            at += 1
            continue
        line_end = re.compile(r"\^[ \t]*\n").match(text, at)
        at = line_end.end() if line_end else at + 1
        if at < len(text):
            # a line break that was escaped is a part of a word, other than one between words
            found.append("\0" if text[at] == "\n" else text[at])
        at += 1
    return "".join(found)


def _cmd_words(text: str) -> Iterator[str]:
    r"""Yield words as Windows programs split them: ``""`` and ``\"`` in quotes are a quote, ``\\`` is a backslash."""
    word: str | None = None
    quoted = False
    at = 0
    while at < len(text):
        each, following = text[at], text[at + 1 : at + 2]
        if each in " \t\n" and not quoted:
            if word is not None:
                yield word
            word, at = None, at + 1
            continue
        word = word or ""
        if each == "\\" and following in ("\\", '"') and following:
            word, at = word + following, at + 2
        elif each == '"' and quoted and following == '"':
            word, at = word + '"', at + 2
        elif each == '"':
            quoted, at = not quoted, at + 1
        else:
            word, at = word + ("\n" if each == "\0" else each), at + 1
    if quoted:
        raise QuotingError('a quote (") is not closed')
    if word is not None:
        yield word
