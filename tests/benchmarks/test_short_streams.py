"""The benchmark of short streams, small."""

import json

import pytest

from benchmarks import short_streams
from benchmarks.testbed.quick_source import writes_of


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    file = tmp_path_factory.mktemp("figures") / "figures.json"
    status = short_streams.main(
        ["--rounds", "1", "--streams", "300", "--chunks", "1", "--limit", "100", "-o", str(file)]
    )
    return status, json.loads(file.read_text())


def test_both_clients_read_the_same_responses_and_stand_beside_each_other(small):
    status, report = small
    (found,) = report["shapes"]
    assert (status, found["chunks"], list(found["cpu_us"])) == (0, 1, ["FastHttpUser", "streamgauge"])
    ours, theirs = (found["cpu_us"][name]["median"] for name in ("streamgauge", "FastHttpUser"))
    assert found["ratio"]["median"] == pytest.approx(ours / theirs)
    assert 0 <= found["source"]["median"] < 1.1


@pytest.mark.parametrize(("busy", "ends_with"), [(0.9, "90%"), (0.91, "91% the limit")])
def test_a_source_that_is_busy_all_the_time_is_said_to_be_the_limit(small, busy, ends_with):
    (found,) = small[1]["shapes"]
    assert short_streams.row({**found, "source": {"median": busy}}).endswith(f" {ends_with}")


@pytest.mark.parametrize("writes", [1, 2, 5])
def test_a_response_is_the_same_in_however_many_writes(writes):
    parts = writes_of(5, writes)
    assert len(parts) == writes
    assert b"".join(data for data, _ in parts) == writes_of(5, 1)[0][0]
    assert parts[-1][1] == 5
