"""A command becomes words as its shell would split it."""

import re
import subprocess

import pytest

from streamgauge.quick_run.shell_words import QuotingError, split
from tests.quick_run.copied_commands import copied


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("curl  a\tb\nc", ["curl", "a", "b", "c"]),
        ("curl 'a b' \"c d\" e'f'\"g\"", ["curl", "a b", "c d", "efg"]),
        ("curl '' \"\" a", ["curl", "", "", "a"]),
        (r"curl 'a\b' a\ b \'", ["curl", r"a\b", "a b", "'"]),
        (r'''curl "a\"b" "a\\b" "a\nb" "\$x"''', ["curl", 'a"b', r"a\b", r"a\nb", "$x"]),
        ("curl a \\\n  -H b\\\n", ["curl", "a", "-H", "b"]),
        ("curl a \\\r\n  -H b", ["curl", "a", "-H", "b"]),
        (r"curl $'a\tb\n\'\"\\\x41\u0021\101'", ["curl", "a\tb\n'\"\\A!A"]),
        (r"curl $'\ud83d\ude00'", ["curl", "\U0001f600"]),
        (r"curl $'\q'", ["curl", r"\q"]),
        (r"curl $'\x4z\u41\7\e[0m\a\0'", ["curl", "\x04zA\x07\x1b[0m\x07\0"]),
        ('curl $"a $b"x', ["curl", "a $bx"]),
        ('curl "a\\\nb" c\\', ["curl", "ab", "c\\"]),
        ('curl "a\\\\"', ["curl", "a\\"]),
        ('curl ^"a^ \n b^"', ["curl", "a b"]),
        ('curl "C:\\dir" ^"a\\\\^" b^', ["curl", "C:\\dir", "a\\", "b"]),
        ('curl a"b c"d "" ^\n  e ^', ["curl", "ab cd", "", "e"]),
        ('curl ^"^\n\n^"', ["curl", "\n"]),
        (" curl l1^\n\nl2 ^\n b", ["curl", "l1\nl2", "b"]),
        ('curl ^"^"^" a^" b ^', ["curl", '" a', "b"]),
        (r"curl $'\ud83d'b'c'", ["curl", "\ufffdbc"]),
        ("""curl 'a ""b""c' "{x""y" """, ["curl", 'a ""b""c', "{xy"]),
        ('curl "a" \\\n -d "{""x"": 1}"', ["curl", "a", "-d", "{x: 1}"]),
        ("curl https://a.example/?x=1*2 -H $x", ["curl", "https://a.example/?x=1*2", "-H", "$x"]),
        ('curl ^"a b^" ^\n  -H ^"x: ^\\^"y^\\^"^"', ["curl", "a b", "-H", 'x: "y"']),
        ('curl ^"{^\\^"a^\\^":^\\^"b^\\^"^}^" -d ^"l1^\n\nl2^"', ["curl", '{"a":"b"}', "-d", "l1\nl2"]),
        ('curl ^"100^%^PATH^%^" ^', ["curl", "100%PATH%"]),
        ('curl "a" --data-raw "{""a"":""b c""}"', ["curl", "a", "--data-raw", '{"a":"b c"}']),
        ('curl "a" -H "X-Empty: " -d ""', ["curl", "a", "-H", "X-Empty: ", "-d", ""]),
    ],
)
def test_words_are_those_of_the_shell(command, words):
    assert split(command) == words


@pytest.mark.parametrize(
    "command",
    ["curl 'a", 'curl "a', "curl $'a", "curl $'a\\", 'curl ^"a ^'],
)
def test_an_open_quote_is_an_error(command):
    mark = "'" if "$" not in command and "'" in command else "$'" if "$" in command else '"'
    with pytest.raises(QuotingError, match=f"^{re.escape(f'a quote ({mark}) is not closed')}$"):
        split(command)


@pytest.mark.parametrize("rest", ["| jq", "> file", "; ls", "&& ls", "$(id)", "`id`", "< " + "x" * 18])
def test_more_than_one_command_is_an_error(rest):
    said = f"expected one curl command, got {rest!r} after it: quote it, or leave it out"
    with pytest.raises(QuotingError, match=f"^{re.escape(said)}$"):
        split(f"curl http://a {rest}")


@pytest.mark.parametrize("name", ["sse", "chat", "websocket", "firefox"])
def test_copied_commands_are_split_as_bash_does(name, program):
    command = copied(name, "bash")
    script = f"printf '%s\\0' {command}"
    done = subprocess.run([program("bash"), "-c", script], capture_output=True, check=True)
    assert split(command) == done.stdout.decode().split("\0")[:-1]
