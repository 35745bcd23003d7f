"""The benchmark of the verdict: what it calls right, and a round of it."""

import json

import pytest

from benchmarks.testbed.sabotage import KINDS
from benchmarks.trust import COLUMNS, Trial, judged, main, table
from streamgauge.calibrate.truth import Stream

MS = 1_000_000
LOG = [Stream(0, 1, [10 * MS, 30 * MS, 50 * MS], [10 * MS, 30 * MS, 50 * MS])]


def result(first_s=0.010, interval_s=0.020, chunks=3, trust="trusted"):
    def quantiles(value_s):
        return dict.fromkeys(("p50", "p90", "p99"), value_s)

    streams = {
        "chunks": chunks,
        "coalesced_share": 0.0,
        "time_to_first_chunk": quantiles(first_s),
        "chunk_interval": quantiles(interval_s),
    }
    generator = {"lag": quantiles(0.001), "hub_lag": quantiles(0.001), "longest_pause_s": 0.0, "cpu_taken": 0.0}
    return {
        "verdict": {"trust": trust, "reasons": []},
        "streams": [streams],
        "generator": {**generator, "cpu_max": 0.1},
    }


@pytest.mark.parametrize(
    ("found", "column"),
    [
        (result(), "trusted, right"),
        (result(first_s=0.01009, interval_s=0.0201), "trusted, right"),
        (result(interval_s=0.0203), "TRUSTED, WRONG"),
        (result(first_s=0.0098), "TRUSTED, WRONG"),
        (result(first_s=None), "TRUSTED, WRONG"),
        (result(chunks=2), "TRUSTED, WRONG"),
        (result(trust="degraded"), "not trusted, right"),
        (result(interval_s=0.03, trust="invalid"), "not trusted, wrong"),
    ],
)
def test_a_run_is_right_within_1_percent_or_a_tenth_of_a_millisecond(found, column):
    assert judged("fine", found, LOG).column == column


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if not kind.may_be_trusted])
def test_a_run_that_must_not_be_trusted_is_wrong_when_it_is(kind):
    assert judged(kind, result(), LOG).column == "TRUSTED, WRONG"


def test_the_table_counts_each_kind():
    lines = table([Trial("fine", "trusted", []), Trial("fine", "degraded", []), Trial("pairs", "degraded", [])])
    head, fine, pairs = lines.splitlines()
    assert all(column in head for column in COLUMNS)
    assert fine.split()[-4:] == ["1", "1", "0", "0"]
    assert pairs.split()[-4:] == ["0", "1", "0", "0"]


def test_a_round_is_run_and_written(tmp_path, capsys):
    file = tmp_path / "trust.json"
    load = ("--rounds", "1", "--streams", "3", "--seconds", "1")
    assert main([*load, "--kind", "stepped_clock", "-o", str(file)]) == 0
    (trial,) = json.loads(file.read_text())["trials"]
    assert trial["trust"] in ("degraded", "invalid")
    assert set(trial["differences_s"]) == {
        f"{metric}.{each}" for metric in ("time_to_first_chunk", "chunk_interval") for each in ("p50", "p90", "p99")
    }
    assert "the wall clock steps" in capsys.readouterr().out


@pytest.mark.parametrize(("option", "value"), [("--rounds", "0"), ("--kind", "none"), ("--seconds", "nan")])
def test_a_bad_value_is_named(capsys, option, value):
    with pytest.raises(SystemExit, match=r"^2$"):
        main([option, value])
    errors = capsys.readouterr().err
    assert option in errors
    assert value in errors
