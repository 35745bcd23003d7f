"""A format that only the tests know: the client plays it, with nothing but its own module and its registration."""

import ast
from pathlib import Path

import pytest

import streamgauge
from streamgauge.client.blocking import run_streams
from streamgauge.client.plan import PlanError, format_named
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.formats import FORMATS
from tests.wire.netstring import MEDIA_TYPE, register

HEAD = f"HTTP/1.1 200 OK\r\nContent-Type: {MEDIA_TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 0\r\n\r\n"
END = b"0\r\n\r\n"
COMPLETED, INCOMPLETE, IN_BAND_ERROR = Outcome.COMPLETED, Outcome.INCOMPLETE, Outcome.IN_BAND_ERROR


@pytest.fixture(autouse=True)
def _registered(monkeypatch):
    register(monkeypatch.setitem)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


STREAMS = {
    "as it is": ([b"3:one,", b"0:,", b"4:li", b"ne,"], {}, (COMPLETED, 2, 1)),
    "with its end": ([b"3:one,", b"3:fin,"], {"end": "data:fin"}, (COMPLETED, 2, 0)),
    "without its end": ([b"3:one,"], {"end": "data:fin"}, (INCOMPLETE, 1, 0)),
    "with too few": ([b"3:one,"], {"end": "chunks:2"}, (INCOMPLETE, 1, 0)),
    "with numbers": ([b'7:{"n":1},', b'7:{"n":2},'], {"sequence": "json:n"}, (COMPLETED, 2, 0)),
    "that says error": ([b"3:one,", b"9:error off,"], {}, (IN_BAND_ERROR, 2, 0)),
    "that is none": ([b"3:one,", b"x:"], {}, (Outcome.PROTOCOL_ERROR, 1, 0)),
}


@pytest.mark.parametrize(("pieces", "options", "expected"), STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("protocol", ["netstring", "auto"])
def test_a_new_format_is_played_by_its_name_and_by_its_content_type(pieces, options, expected, protocol, plan):
    made, process_stats = plan([HEAD, *map(chunk, pieces), END], protocol=protocol, **options), ProcessStats()
    (record,) = run_streams([made], process_stats)
    assert (record.outcome, record.chunks, record.heartbeats) == expected, record.reason
    assert record.protocol == "netstring"
    assert process_stats.all_stats["stream", "netstring"].started == 1


def test_another_content_type_is_not_its_stream(stream):
    record = stream([EVENTS], protocol="netstring")
    assert record.reason == "expected a content type of netstring, got 'text/event-stream'"


def test_what_it_cannot_do_is_refused(plan):
    with pytest.raises(PlanError, match="and the protocol is netstring"):
        plan(protocol="netstring", reconnect=1)
    with pytest.raises(PlanError, match=r"expected one of .*, netstring, got 'smtp'"):
        format_named("smtp")


SOURCE = Path(streamgauge.__file__).parent
#: The folders whose modules ask a format for its traits, and do not know any by name or by its classes.
ROOMS = ("wire", "client", "load", "report", "exporter", "stats", "verdict")
#: ``auto`` is what an argument is where the caller names no protocol.
NAMES = set(FORMATS) - {"auto"}
#: Modules of ``wire`` that are a format's own begin with its name.
OWN = tuple(NAMES)


def known_formats(path: Path) -> list[str]:
    """Return the places of a module that name a format, or ask for the class of a decoder or a framing."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            found.append(f"{path.name}:{node.lineno} {node.value!r}")
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "isinstance":
            kinds = [each.id for each in ast.walk(node.args[1]) if isinstance(each, ast.Name)]
            found += [f"{path.name}:{node.lineno} {kind}" for kind in kinds if kind.endswith(("Decoder", "Body"))]
    return found


#: The module that knows how APIs of language models are asked for a stream of theirs.
ASKING = "api_forms"


@pytest.mark.parametrize("room", ROOMS)
def test_no_module_but_its_own_knows_a_format(room):
    modules = [path for path in (SOURCE / room).rglob("*.py") if not (room == "wire" and path.stem.startswith(OWN))]
    modules = [path for path in modules if path.stem != ASKING]
    assert modules
    assert [place for path in modules for place in known_formats(path)] == []
