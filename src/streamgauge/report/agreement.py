"""Compares the client's totals with the server's, line by line, and says why they may differ."""

from collections.abc import Mapping

from streamgauge.report.result import NamedStreams, Result
from streamgauge.report.server_view import Agreement, ServerRoute, ServerView
from streamgauge.report.sums import totals, whole_streams
from streamgauge.report.units import number, some
from streamgauge.stats.outcome import Outcome

#: The totals that are compared: streams finished, chunks, body bytes.
SUBJECTS = ("streams finished", "chunks", "bytes")
_Counts = tuple[int, int, int]


def agreement(result: Result, view: ServerView) -> list[Agreement]:
    """Compare streams finished, chunks and bytes: in total, and for each name that is a route of the server too."""
    client, server = _client(result), _server(view)
    lines = _lines("", _sum(client), _sum(server), result)
    for name in client:
        if name in server and len(client) > 1:
            lines += _lines(name, client[name], server[name], result)
    return lines


def side_by_side(result: Result, view: ServerView) -> list[tuple[ServerRoute, NamedStreams | None]]:
    """Return the server's routes in the client's order, each with the client's streams of that name and protocol."""
    own = {(each["name"], each["protocol"]): each for each in whole_streams(result)}
    order = {place: position for position, place in enumerate(own)}
    routes = sorted(view["routes"], key=lambda route: order.get((route["route"], route["protocol"]), len(order)))
    return [(route, own.get((route["route"], route["protocol"]))) for route in routes]


def _client(result: Result) -> dict[str, _Counts]:
    counts: dict[str, _Counts] = {}
    for each in whole_streams(result):
        own = (sum(each["outcomes"].values()), each["chunks"], each["bytes"])
        counts[each["name"]] = _add(counts.get(each["name"], (0, 0, 0)), own)
    return counts


def _server(view: ServerView) -> dict[str, _Counts]:
    counts: dict[str, _Counts] = {}
    for each in view["routes"]:
        own = (sum(each["finished"].values()), each["chunks"], each["bytes"])
        counts[each["route"]] = _add(counts.get(each["route"], (0, 0, 0)), own)
    return counts


def _add(a: _Counts, b: _Counts) -> _Counts:
    return a[0] + b[0], a[1] + b[1], a[2] + b[2]


def _sum(counts: Mapping[str, _Counts]) -> _Counts:
    total: _Counts = (0, 0, 0)
    for each in counts.values():
        total = _add(total, each)
    return total


def _lines(name: str, client: _Counts, server: _Counts, result: Result) -> list[Agreement]:
    return [
        _line(name, subject, ours, theirs, result)
        for subject, ours, theirs in zip(SUBJECTS, client, server, strict=True)
    ]


def _line(name: str, subject: str, client: int, server: int, result: Result) -> Agreement:
    equal = client == server
    what = f"{name} {subject}" if name else subject
    text = f"{what}: client {number(client)} = server {number(server)} ✓"
    if not equal:
        more = "the server" if server > client else "the client"
        text = (
            f"{what}: client {number(client)} ≠ server {number(server)}, {more} has {number(abs(server - client))} more"
        )
    why = "" if equal else _why(result)
    return Agreement(name=name, subject=subject, client=client, server=server, equal=equal, text=text, why=why)


def _why(result: Result) -> str:
    outcomes = {name: times for name, times in totals(whole_streams(result))["outcomes"].items() if times}
    refused = outcomes.pop(Outcome.CONNECT_ERROR, 0), outcomes.pop(Outcome.HTTP_ERROR, 0)
    outcomes.pop(Outcome.COMPLETED, 0)
    sentences = []
    if outcomes:
        kinds = ", ".join(f"{number(times)} {name}" for name, times in outcomes.items())
        left = some(sum(outcomes.values()), "stream")
        sentences.append(
            f"{left} did not complete ({kinds}): only the server counted data still in flight when the client "
            "disconnected, and only the client counted streams under way at the last scrape."
        )
    if refused[0]:
        sentences.append(f"{some(refused[0], 'stream')} never reached the server (connect_error).")
    if refused[1]:
        sentences.append(
            f"The server may not have counted {some(refused[1], 'http_error')}: an error need not be a stream."
        )
    if not sentences:
        sentences.append(
            "Every stream of the client completed. Either other clients used the server too, or the two scrapes do "
            "not enclose the run."
        )
    return " ".join(sentences)
