"""What model servers send, read by the client: every figure is the one computed by hand from the script."""

import dataclasses
import urllib.parse

import pytest

from streamgauge.client.blocking import run_streams
from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request
from streamgauge.client.plan import StreamPlan
from streamgauge.stats.process_stats import ProcessStats
from streamgauge.wire.formats import FORMATS
from tests.model_servers.completions import COMPLETIONS
from tests.model_servers.others import OTHERS
from tests.model_servers.server import serving
from tests.model_servers.truth import check_figures, check_times, in_one_of_some_plays

SCRIPTS = COMPLETIONS | OTHERS
FOUND = [name for name in SCRIPTS if SCRIPTS[name].found]


@pytest.fixture(scope="module")
def server():
    with serving(SCRIPTS) as server:
        yield server


@pytest.fixture
def play(server):
    """The record of one script's stream, and the server's log of it."""

    def run(name, protocol, *, torn=False, process_stats=None):
        target = name + ("?torn" if torn else "")
        url = f"{server.url}/{urllib.parse.quote(name)}" + ("?torn" if torn else "")
        plan = StreamPlan("stream", Request("POST", target_of(url), {}), FORMATS[protocol])
        (record,) = run_streams([plan], process_stats)
        return record, server.played[target]

    return run


@in_one_of_some_plays
@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_model_servers_stream_has_the_figures_of_its_script(play, name, torn):
    script = SCRIPTS[name]
    record, played = play(name, script.protocol, torn=torn)
    found = dataclasses.asdict(record)
    assert record.protocol == script.protocol
    check_figures(script, found)
    check_times(script, found, played)


@in_one_of_some_plays
@pytest.mark.parametrize("torn", [False, True], ids=["whole", "torn"])
@pytest.mark.parametrize("name", FOUND)
def test_auto_finds_the_protocol_by_the_first_frame(play, name, torn):
    script, process_stats = SCRIPTS[name], ProcessStats()
    record, played = play(name, "auto", torn=torn, process_stats=process_stats)
    assert record.protocol == script.protocol
    check_figures(script, dataclasses.asdict(record))
    check_times(script, dataclasses.asdict(record), played)
    counted = {
        key: (each.started, each.finished, each.bytes, each.chunks) for key, each in process_stats.all_stats.items()
    }
    assert counted == {
        ("stream", "auto"): (0, 0, 0, 0),
        ("stream", script.protocol): (1, 1, record.bytes, script.chunks),
    }


def test_a_json_array_is_not_found_by_auto_because_its_media_type_is_that_of_any_json(play):
    record, _ = play("Gemini, an array", "auto")
    assert (record.protocol, record.outcome) == ("raw", "completed")
