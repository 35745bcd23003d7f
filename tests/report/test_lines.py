"""The lines of charts: which there are, their order, labels, colours and dashes."""

from collections.abc import Callable, Sequence

import pytest

from streamgauge.report.lines import COLOURS, Key, Lines
from streamgauge.report.result import Result


@pytest.fixture
def make_lines(make_result: Callable[..., Result]) -> Callable[..., Lines]:
    """A function that makes the lines of names with as many chunks each; ``seen`` is what the timeline has."""

    def make(chunks: dict[Key, int], seen: Sequence[Key]) -> Lines:
        result = make_result(mix=tuple((*key, 0.01, 0.05) for key in chunks), seconds=1)
        for each, count in zip(result["streams"], chunks.values(), strict=True):
            each["chunks"] = count
        (point,) = result["timeline"]
        (template, *_) = point["streams"]
        point["streams"] = [{**template, "name": name, "protocol": protocol} for name, protocol in seen]
        return Lines(result)

    return make


def test_the_busiest_names_come_first_and_the_others_last(make_lines: Callable[..., Lines]) -> None:
    quiet, busy, unseen = ("quiet", "sse"), ("busy", "sse"), ("unseen", "sse")
    lines = make_lines({quiet: 1, unseen: 9, busy: 5}, seen=[("other", ""), quiet, busy])
    assert lines.timeline == [busy, quiet, ("other", "")]
    assert lines.ordered([unseen, ("other", ""), quiet, busy]) == [busy, quiet, unseen, ("other", "")]
    assert [lines.colour(key) for key in (busy, quiet, unseen)] == list(COLOURS[:3])
    assert lines.colour(("other", "")) not in COLOURS


def test_a_label_has_the_protocol_where_one_name_has_several(make_lines: Callable[..., Lines]) -> None:
    keys = [("a", "sse"), ("a", "raw"), ("b", "raw")]
    lines = make_lines(dict.fromkeys(keys, 1), seen=[*keys, ("other", "")])
    labels = [lines.label(key) for key in (*keys, ("other", ""))]
    assert labels == ["a (sse)", "a (raw)", "b", "other names"]


def test_colours_that_come_again_are_told_apart_by_their_dashes(make_lines: Callable[..., Lines]) -> None:
    keys = [(f"n{at}", "sse") for at in range(4 * len(COLOURS) + 1)]
    lines = make_lines({key: 100 - at for at, key in enumerate(keys)}, seen=keys[:8])
    looks = [(lines.colour(key), lines.dash(key)) for key in keys]
    assert len(set(looks[:-1])) == 4 * len(COLOURS)
    assert looks[-1] == looks[0] == (COLOURS[0], "solid")
    assert [dash for _, dash in looks[7:9]] == ["solid", "dash"]
    assert lines.dash(("other", "")) == "solid"


def test_an_older_timeline_has_no_lines_and_names_have_colours_all_the_same(make_older: Callable[..., Result]) -> None:
    result = make_older(mix=(("a", "sse", 0.01, 0.05), ("b", "sse", 0.01, 0.05)), seconds=2)
    lines = Lines(result)
    assert lines.timeline == []
    assert {lines.colour((name, "sse")) for name in "ab"} == set(COLOURS[:2])
