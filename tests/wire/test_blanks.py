"""No wire text loses characters that its grammar does not call blanks.

``str.strip()``, ``str.split()``, ``str.isspace()`` and ``\\s`` know the blanks of Unicode; ``int()``, ``str.isdigit()``
and ``\\d`` its digits. Protocols know SP and HTAB, and ASCII digits.
"""

import ast
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

import streamgauge
from streamgauge.wire.blanks import members, trimmed
from streamgauge.wire.digits import whole_number

ROOT = Path(streamgauge.__file__).parent
SOURCES = sorted(
    path.relative_to(ROOT)
    for path in [
        *(each for room in ("wire", "client", "asgi") for each in (ROOT / room).rglob("*.py")),
        ROOT / "catalog.py",
    ]
)
#: Without an argument these take whatever Unicode calls a blank.
STRIPPING = {"strip", "lstrip", "rstrip", "split", "rsplit"}
DIGITS = {"isdigit", "isdecimal", "isnumeric", "isalnum"}
#: Text that no peer has written, such as names of files, and digits of bytes, which are ASCII.
EXEMPT = {
    ("asgi/stamps.py", "_BOOT_ID.read_text().strip()"),
    ("client/read/send_stamps.py", "_BOOT_ID.read_text().strip()"),
    ("client/read/send_stamps.py", "digits.isdigit()"),
    ("asgi/worker_liveness.py", "'(?:counter|histogram|summary|gauge_[a-z]+)_(\\\\d+)\\\\.db'"),
    ("asgi/worker_liveness.py", "'alive_(\\\\d+)\\\\.lock'"),
    ("wire/digits.py", "text.isdigit()"),
    ("wire/sequence.py", "text.removeprefix('-').isdigit()"),
    ("asgi/head.py", "length.isdigit()"),
    ("asgi/token_counting.py", "block.splitlines()"),  # of bytes: at CR, LF and CRLF alone
}


def doubtful(tree: ast.AST) -> Iterator[ast.expr]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if name in DIGITS | {"isspace"} or (name in STRIPPING and not (node.args or node.keywords)):
                yield node
            if name == "splitlines" and "body" not in ast.unparse(node.func.value):  # bytes end lines at CR and LF only
                yield node
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and {"\\s", "\\d", "\\w"} & set(_pairs(node.value))
        ):
            yield node


def _pairs(text: str) -> Iterator[str]:
    return map("".join, pairwise(text))


@pytest.mark.parametrize("source", SOURCES, ids=str)
def test_no_module_asks_unicode_what_a_blank_or_a_digit_is(source):
    tree = ast.parse((ROOT / source).read_text())
    documentation = {
        ast.get_docstring(each, clean=False)
        for each in ast.walk(tree)
        if isinstance(each, ast.Module | ast.ClassDef | ast.FunctionDef)
    }
    found = [
        f"line {node.lineno}: {text}"
        for node in doubtful(tree)
        if (source.as_posix(), text := ast.unparse(node)) not in EXEMPT
        and not (isinstance(node, ast.Constant) and node.value in documentation)
    ]
    assert found == []


def test_the_search_finds_what_it_is_for():
    code = "a.strip(); a.split(','); a.split(); a.isspace(); re.compile('[0-9]\\\\s'); a.isdigit(); text.splitlines()"
    assert [ast.unparse(node) for node in doubtful(ast.parse(code))] != []
    assert len(list(doubtful(ast.parse(code)))) == 6


@pytest.mark.parametrize("blank", ["\xa0", "\x85", "\x0b", "\x0c", "\u2003", "\n", "\r"])
def test_only_space_and_tab_are_blanks(blank):
    assert trimmed(f" \t{blank}a{blank}\t ") == f"{blank}a{blank}"
    assert members(f"a ,\t{blank}b, ,") == ["a", f"{blank}b"]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        *(("0", 0), ("007", 7), ("9" * 18, 10**18 - 1), ("0" * 5_000 + "1", 1), ("0" * 5_000, 0)),
        *(("", None), ("1" * 19, None), ("-1", None), ("+1", None), (" 1", None), ("1_0", None)),
        *(("\xb2", None), ("\u0663", None), ("1\xa0", None)),
    ],
)
def test_whole_numbers_are_ascii_digits_with_any_number_of_zeros_before_them(text, number):
    assert whole_number(text) == number
