"""Shades parts of a run in charts over time: the warm-up, which no figure contains, and the steady window."""

from typing import Any, TypedDict

from streamgauge.report.result import Result

#: By kind: readable behind lines on white and on near-black.
FILLS = {"warm-up": "rgba(125,133,144,0.22)", "steady": "rgba(46,158,107,0.10)"}


class Span(TypedDict):
    """A part of a run, in seconds from its start."""

    kind: str
    from_s: float
    to_s: float


def spans(result: Result) -> list[Span]:
    """Return the parts of a run that charts shade."""
    found = []
    if (warm_up := result.get("warm_up")) and warm_up["until_s"]:
        found.append(Span(kind="warm-up", from_s=0, to_s=warm_up["until_s"]))
    if window := result.get("steady_window"):
        assert window["to_s"] is not None
        found.append(Span(kind="steady", from_s=window["from_s"], to_s=window["to_s"]))
    return found


def shaded(result: Result, unit_s: float) -> dict[str, Any]:
    """Return the part of a chart's layout that shades them; ``unit_s`` is the seconds of the time axis' unit."""
    shapes = [
        {
            "type": "rect", "layer": "below", "line": {"width": 0}, "fillcolor": FILLS[each["kind"]],
            "xref": "x", "yref": "paper", "y0": 0, "y1": 1, "x0": each["from_s"] / unit_s, "x1": each["to_s"] / unit_s,
        }
        for each in spans(result)
    ]  # fmt: skip
    return {"shapes": shapes} if shapes else {}


def spans_words(result: Result) -> str:
    """Explain the shades of this result's charts; empty without any."""
    words = {"warm-up": "grey is the warm-up", "steady": "pale green is the steady window"}
    found = " and ".join(words[each["kind"]] for each in spans(result))
    return f"{found[0].upper()}{found[1:]}." if found else ""
