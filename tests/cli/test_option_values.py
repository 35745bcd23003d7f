"""What options of ``streamgauge`` take, what it comes to, and the sentence that refuses anything else."""

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from streamgauge.commands import option_values
from streamgauge.commands.option_values import (
    Existing,
    NewDirectory,
    NewFile,
    OneOf,
    Port,
    Problem,
    Rate,
    RunTime,
    Whole,
)

WHOLE = "a whole number from -3 to 20"
PORT = "a whole number from 1 to 65535"
DURATION, LENGTH = "a duration such as 30s, 2m or 1h30m", "a duration from 1s to 24h"
ABOVE, AT_LEAST = "a number above 0", "a number of at least 0.25"
WORD = "html, json or text"
KINDS = {
    WHOLE: lambda: Whole(-3, 20),
    PORT: lambda: Port(),
    DURATION: lambda: RunTime(),
    LENGTH: lambda: RunTime(),
    ABOVE: lambda: Rate(),
    AT_LEAST: lambda: Rate(0.25),
    WORD: lambda: OneOf("html", "json", "text"),
}
TAKEN = {
    WHOLE: {"-3": -3, "-2": -2, "0": 0, "+7": 7, "007": 7, "20": 20},
    PORT: {"1": 1, "65535": 65535},
    DURATION: {
        "1": 1,
        "1s": 1,
        "45": 45,
        "90s": 90,
        "2m": 120,
        "1m5s": 65,
        "1m5": 65,
        "1h": 3600,
        "1h30m": 5400,
        "1h1s": 3601,
        "2h3m4s": 7384,
        "24h": 86400,
        "23h59m60s": 86400,
        "000000000030": 30,
    },
    ABOVE: {"1e-9": 1e-9, "0.5": 0.5, "5": 5.0, "1e9": 1e9},
    AT_LEAST: {"0.25": 0.25, "1": 1.0},
    WORD: {"html": "html", "json": "json", "text": "text"},
}
REFUSED = {
    WHOLE: ("-4", "21", "", " 5", "5 ", "1.5", "1e1", "--5", "0x5", "1_0", "٣", "many", "5\n", "0" * 19, "9" * 5000),
    PORT: ("0", "-1", "65536", "http"),
    DURATION: ("", "s", "5x", "m5", "5s1m", "5m1h", " 5", "5 s", "1.5s", "-3", "٣s", "5S", "5\n", "0" * 13, "1" * 400),
    LENGTH: ("0", "0s", "0h0m0s", "24h1s", "86401", "25h", "999999999999"),
    ABOVE: ("0", "-0", "-0.5", "nan", "inf", "-inf", "1e400", "", "fast", "1,5", "1s"),
    AT_LEAST: ("0.2499", "0", "-1", "nan", "inf", "x"),
    WORD: ("", "HTML", "htm", " html", "xml", "html, json"),
}


def pairs(table):
    return [pytest.param(kind, text, id=f"{kind}={text[:20]!r}") for kind, texts in table.items() for text in texts]


@pytest.fixture
def give():
    """Gives a value to an option of a kind: what it comes to, or what click says against it with exit status 2."""

    def call(kind, text):
        found = []
        command = click.Command("it", params=[click.Option(["--it"], type=kind)], callback=lambda it: found.append(it))
        answer = CliRunner().invoke(command, ["--it", text])
        if answer.exit_code == 0:
            return found[0]
        assert answer.exit_code == 2, answer
        return answer.output.partition("Error: Invalid value for '--it': ")[2].removesuffix("\n")

    return call


@pytest.mark.parametrize(("kind", "text"), pairs(TAKEN))
def test_a_value_of_the_kind_is_taken(give, kind, text):
    found, value = give(KINDS[kind](), text), TAKEN[kind][text]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(("kind", "text"), pairs(REFUSED))
def test_another_value_is_refused_with_what_is_expected_and_what_came(give, kind, text):
    assert give(KINDS[kind](), text) == f"expected {kind}, got {text!r}"


@pytest.mark.parametrize("kind", [Whole(1, 9), RunTime(), Rate()])
def test_a_default_that_is_a_number_stays_as_it_is(kind):
    command = click.Command(
        "it", params=[click.Option(["--it"], type=kind, default=5)], callback=lambda it: click.echo(it * 2)
    )
    assert float(CliRunner().invoke(command).output) == 10


@pytest.mark.parametrize(
    ("kind", "shown"),
    [
        (Whole(1, 2), "NUMBER"),
        (Port(), "PORT"),
        (RunTime(), "DURATION"),
        (Rate(), "NUMBER"),
        (OneOf("a", "b"), "WORD"),
        (Existing("a file"), "PATH"),
        (NewFile(), "FILE"),
        (NewDirectory(), "DIRECTORY"),
    ],
)
def test_the_help_says_what_kind_of_value_is_taken(kind, shown):
    command = click.Command("it", params=[click.Option(["--it"], type=kind)])
    assert f"--it {shown}\n" in CliRunner().invoke(command, ["--help"]).output


def test_a_file_or_a_directory_that_exists_is_taken(give, tmp_path):
    (tmp_path / "file").touch()
    assert give(Existing("a locustfile"), str(tmp_path / "file")) == tmp_path / "file"
    assert give(Existing("a locustfile"), str(tmp_path)) == tmp_path


def test_one_that_does_not_exist_is_refused_with_the_reason(give, tmp_path):
    missing, long = str(tmp_path / "missing"), "n" * 300
    assert give(Existing("a locustfile"), missing) == f"expected a locustfile, got {missing!r}: {os.strerror(2)}"
    assert give(Existing("a result"), long) == f"expected a result, got {long!r}: {os.strerror(36)}"
    assert give(Existing("a result"), "a\0b") == "expected a result, got 'a\\x00b': embedded null byte"


@pytest.mark.parametrize("name", ["new", "old"])
def test_a_file_can_be_written_where_its_directory_is(give, tmp_path, monkeypatch, name):
    (tmp_path / "old").touch()
    monkeypatch.chdir(tmp_path)
    assert give(NewFile(), name) == Path(name)
    assert give(NewFile(), str(tmp_path / name)) == tmp_path / name
    assert give(NewFile(), "-") == Path("-")
    assert not (tmp_path / "new").exists()


def test_a_file_that_cannot_be_written_is_refused_with_the_reason(give, tmp_path):
    (tmp_path / "file").touch()
    below = [str(tmp_path / parent / "x") for parent in ("missing", "file")]
    for name in below:
        assert give(NewFile(), name) == f"expected a file to write, got {name!r}: its directory does not exist"
    assert give(NewFile(), str(tmp_path)) == f"expected a file to write, got {str(tmp_path)!r}: it is a directory"


def test_a_directory_to_write_in_is_made_and_left_empty(give, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert give(NewDirectory(), "a/b") == tmp_path / "a" / "b"
    assert give(NewDirectory(), "a/b") == tmp_path / "a" / "b"
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_directory_that_cannot_be_written_in_is_refused_with_the_reason(give, tmp_path):
    (tmp_path / "file").touch()
    refused = {str(tmp_path / "file"): os.strerror(17), str(tmp_path / "file" / "x"): os.strerror(20)}
    with pytest.raises(OSError, match="/proc/x") as unwritable:  # the reason depends on who runs the test
        Path("/proc/x").touch()
    refused |= {"/proc": str(unwritable.value.strerror), "a\0b": "embedded null byte"}
    for name, reason in refused.items():
        assert give(NewDirectory(), name) == f"expected a directory to write in, got {name!r}: {reason}"


def test_what_is_not_installed_is_named_with_the_command_that_installs_it():
    option_values.need((), "demo")
    option_values.need(("json", "click"), "demo")
    with pytest.raises(Problem) as caught:
        option_values.need(("json", "nowhere_a", "nowhere_b"), "demo")
    assert caught.value.message == "nowhere_a is not installed: pip install 'streamgauge[demo]'"
    assert caught.value.exit_code == 2
