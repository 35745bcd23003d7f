"""What is printed to a terminal: its width, wrapped prose, and control characters made harmless."""

import io
from typing import Any

import pytest
from rich.console import Console

from streamgauge.report.terminal import (
    print_lines,
    print_marked,
    printable,
    standard_output,
    styled,
    unlimited,
    wrapped,
)


def plain(words: str, width: int) -> list[str]:
    return [line.plain for line in wrapped(styled(words), width)]


@pytest.mark.parametrize(
    ("words", "width", "expected"),
    [
        ("one two three", 13, ["one two three"]),
        ("one two three", 12, ["one two", "three"]),
        ("one two three", 7, ["one two", "three"]),
        ("one two three", 6, ["one", "two", "three"]),
        ("one incomprehensible two", 5, ["one", "incomprehensible", "two"]),
        ("one  two", 5, ["one", "two"]),
        ("incomprehensible two", 5, ["incomprehensible", "two"]),
        ("took 12 ms", 7, ["took", "12 ms"]),
        ("about 2 min 02 s", 11, ["about", "2 min 02 s"]),
        ("about 2 h 02 min", 11, ["about", "2 h 02 min"]),
        ("after 2 min 10 streams", 14, ["after 2 min 10", "streams"]),
        ("after 2 min 10 streams", 11, ["after 2 min", "10 streams"]),
        ("took 12 times", 7, ["took 12", "times"]),
        ("世界 世界", 9, ["世界 世界"]),
        ("世界 世界", 8, ["世界", "世界"]),
        ("", 5, [""]),
    ],
)
def test_prose_is_wrapped_between_its_words_but_not_before_a_unit(words: str, width: int, expected: list[str]) -> None:
    assert plain(words, width) == expected


@pytest.mark.parametrize("unit", ["s", "ms", "µs", "min", "h", "%", "B", "kB", "MB", "GB", "TB", "PB"])
def test_a_number_stays_with_its_unit(unit: str) -> None:
    assert plain(f"a 5 {unit}", 4) == ["a", f"5 {unit}"]


def test_wrapped_words_keep_their_style() -> None:
    first, second = wrapped(styled("plain ", ("bold words", "bold")), 10)
    assert (first.plain, second.plain) == ("plain bold", "words")
    assert [(span.start, span.end, span.style) for line in (first, second) for span in line.spans if span.style] == [
        (6, 10, "bold"),
        (0, 5, "bold"),
    ]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a b", "a b"), ("a\x1b[2J", r"a\x1b[2J"), ("a\nb\t", r"a\nb\t"), ("é世", "é世"), ("\u202e", r"\u202e")],
)
def test_control_characters_are_shown_as_their_escapes(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert styled(text, ("[b]", "red")).plain == f"{shown}[b]"


def test_a_line_that_is_too_wide_is_neither_cut_nor_broken() -> None:
    out = io.StringIO()
    print_lines(Console(file=out, width=10), [styled("x" * 15 + "  "), styled("two words more")])
    assert out.getvalue() == f"{'x' * 15}\ntwo words more\n"


@pytest.mark.parametrize(("width", "longest"), [(20, 20), (100, 100), (101, 100), (500, 100)])
def test_marked_prose_is_wrapped_beside_its_mark(width: int, longest: int) -> None:
    out = io.StringIO()
    print_marked(Console(file=out, width=width), [("✓", styled("ab " * 100)), ("", styled("no mark"))])
    first, *others, last = out.getvalue().splitlines()
    assert first.startswith("✓ ab ab")
    assert others
    assert all(line.startswith("  ab") for line in others)
    assert last == "  no mark"
    assert longest - 3 < max(map(len, (first, *others))) <= longest


def no_terminal(*_: Any) -> None:
    raise OSError("not a terminal")


@pytest.mark.parametrize(
    ("terminal", "columns", "width"), [(True, None, 80), (False, None, 10_000), (True, "57", 57), (False, "57", 57)]
)
def test_output_is_as_wide_as_what_it_is_written_to(
    monkeypatch: Any, terminal: bool, columns: str | None, width: int
) -> None:
    class Output(io.StringIO):
        def isatty(self) -> bool:
            return terminal

    monkeypatch.setattr("sys.stdout", Output())
    monkeypatch.setattr("os.get_terminal_size", no_terminal)
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns:
        monkeypatch.setenv("COLUMNS", columns)
    assert standard_output().width == width


def test_what_is_captured_for_a_file_has_no_limit() -> None:
    console = unlimited()
    console.print("x" * 5000 + " 12 [b]ms")
    captured: Any = console.file
    assert captured.getvalue().count("\n") == 1


def test_numbers_have_no_colour_of_their_own(monkeypatch: Any) -> None:
    out = io.StringIO()
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr("sys.stdout", out)
    standard_output().print("took 12 ms, 'so' it is True")
    console = unlimited()
    console.print("took 12 ms, 'so' it is True")
    captured: Any = console.file
    assert [each.getvalue() for each in (out, captured)] == ["took 12 ms, 'so' it is True\n"] * 2


def test_a_character_that_the_output_lacks_becomes_a_question_mark(monkeypatch: Any) -> None:
    out = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(out, encoding="ascii", write_through=True))
    standard_output().print("≈ 5 µs")
    assert out.getvalue() == b"? 5 ?s\n"


@pytest.mark.parametrize(("mark", "coloured"), [("✓", True), ("✗", True), ("≈", True), ("!", True), ("·", False)])
def test_only_marks_that_judge_have_a_colour(mark: str, coloured: bool) -> None:
    out = io.StringIO()
    print_marked(Console(file=out, force_terminal=True, color_system="standard", width=80), [(mark, styled("so"))])
    assert ("\x1b" in out.getvalue()) == coloured
