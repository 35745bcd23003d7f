"""Tables at each width: names are shortened first, then the least important columns go, and no number is cut."""

from collections.abc import Sequence

import pytest

from streamgauge.report.columns import Column, Table, shortened
from streamgauge.report.terminal import styled

COLUMNS = (Column("first", 3), Column("second\nline", 1), Column("left", 2, left=True))


def table(*names: str, below: Sequence[str] = ()) -> Table:
    found = Table("name", COLUMNS)
    for at, name in enumerate(names):
        found.add(name, [styled(cell) for cell in (f"{at}", f"{at}00", f"{at}x")], [styled(line) for line in below])
    return found


def lines(found: Table, width: int) -> list[str]:
    return [line.plain for line in found.fit(width).lines]


def test_cells_are_flush_right_unless_their_column_is_flush_left() -> None:
    found = table("a", "b")
    found.add_space()
    found.add("a remark")
    assert lines(found, 100) == [
        "                 second",
        "name      first    line  left",
        "─────────────────────────────",
        "a             0     000  0x",
        "b             1     100  1x",
        "",
        "a remark",
    ]


def test_lines_below_a_name_are_never_shortened() -> None:
    below = "  12 streams that were cut short"
    assert lines(table("a", below=[below]), 10) == ["name", "─" * len(below), "a", below]
    assert lines(table("a" * 40, below=["  12 cut"]), 10)[-2:] == [f"{'a' * 11}…{'a' * 8}", "  12 cut"]


@pytest.mark.parametrize(
    ("width", "dropped", "line"),
    [
        (25, [], "a         0     000  0x"),
        (24, [], "a        0    000 0x"),
        (22, [], "a        0    000 0x"),
        (21, ["second line"], "a         0  0x"),
        (17, ["second line"], "a         0  0x"),
        (16, ["second line"], "a        0 0x"),
        (15, ["second line"], "a        0 0x"),
        (14, ["second line", "left"], "a         0"),
        (11, ["second line", "left"], "a         0"),
        (10, ["second line", "left"], "a        0"),
        (9, ["second line", "left", "first"], "a"),
        (1, ["second line", "left", "first"], "a"),
    ],
)
def test_gaps_become_narrow_before_the_least_important_column_goes(width: int, dropped: list[str], line: str) -> None:
    fitted = table("a").fit(width)
    assert fitted.dropped == dropped
    assert fitted.lines[-1].plain == line


def test_a_long_name_is_shortened_before_a_column_goes() -> None:
    name = "0123456789" * 4
    assert lines(table(name), 62)[-1].startswith(f"{name}  ")
    fitted = table(name).fit(60)
    assert fitted.dropped == []
    assert fitted.lines[-1].plain == f"{name[:22]}…{name[-16:]}      0     000  0x"
    fitted = table(name).fit(38)
    assert fitted.dropped == []
    assert fitted.lines[-1].plain == "01234567890…23456789     0    000 0x"
    assert table(name).fit(37).dropped == ["second line"]


def test_names_that_would_look_alike_are_shortened_elsewhere_or_less() -> None:
    names = [f"/api/v1/streams/{number}/events/of/all/customers" for number in (1, 2)]
    found = lines(table(*names), 45)
    assert len({line.split("  ")[0] for line in found[-2:]}) == 2


@pytest.mark.parametrize(("width", "told_apart"), [(50, True), (44, False)])
def test_a_column_goes_for_names_to_be_told_apart_if_half_of_the_width_is_enough(width: int, told_apart: bool) -> None:
    found = Table("name", [Column("column", at) for at in range(4)])
    for number in (1, 2):
        found.add(f"/api/v1/customers{number}/all/of/their/events", [styled("5")] * 4)
    fitted = found.fit(width)
    assert len(fitted.dropped) == 1
    first, second = (line.plain for line in fitted.lines[-2:])
    assert (first != second) == told_apart


@pytest.mark.parametrize(
    ("width", "text"),
    [(10, "0123456789"), (9, "0123…6789"), (8, "0123…789"), (5, "01…89"), (2, "…9"), (1, "…")],
)
def test_a_name_is_shortened_in_its_middle(width: int, text: str) -> None:
    assert shortened("0123456789", width) == text


@pytest.mark.parametrize(("width", "text"), [(8, "世界世界"), (7, "世…世界"), (6, "世…界"), (4, "…界"), (2, "…")])
def test_wide_characters_are_not_cut_in_half(width: int, text: str) -> None:
    assert shortened("世界世界", width) == text


@pytest.mark.parametrize(("beginning", "text"), [(0.8, "012345…89"), (0.2, "0…456789"), (0.4, "012…56789")])
def test_a_beginning_may_take_more_or_less_of_the_room(beginning: float, text: str) -> None:
    assert shortened("0123456789", len(text), beginning) == text
