"""CSV: every cell is the figure of ``result.json`` that its column names, and no other."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

from streamgauge.report.result import Result
from streamgauge.report.tables import streams_csv, timeline_csv, write_tables
from streamgauge.stats.outcome import Outcome
from streamgauge.stats.uncertainty import QUANTILES

METRICS = ("time_to_first_chunk", "chunk_interval", "chunk_delay", "duration", "time_per_output_token")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_each_cell_of_the_streams_is_its_columns_figure(distinct: Result) -> None:
    found = rows(streams_csv(distinct))
    assert len(found) == 2
    for row, each in zip(found, distinct["streams"], strict=True):
        values: dict[str, Any] = each  # type: ignore[assignment]
        expected = {"name": each["name"], "protocol": each["protocol"]}
        expected |= {outcome: str(times) for outcome, times in each["outcomes"].items()}
        expected["failed"] = str(sum(each["outcomes"][outcome.value] for outcome in Outcome if outcome.failed))
        for metric in METRICS:
            expected[f"{metric}_count"] = str(values[metric]["count"])
            for statistic in ("mean", "min", "max", *QUANTILES):
                expected[f"{metric}_{statistic}_s"] = repr(values[metric][statistic])
            least, most = zip(*values[metric]["uncertain"].values(), strict=True)
            expected[f"{metric}_uncertain_s"] = f"p50={least[0]!r}..{most[0]!r} p99={least[1]!r}..{most[1]!r}"
        for rate, value in values["tokens_per_second"].items():
            expected[f"tokens_per_second_{rate}"] = repr(value)
        for count in row.keys() - expected.keys():
            expected[count] = str(values[count])
        assert row == expected


def test_each_cell_of_the_timeline_is_its_columns_figure(distinct: Result) -> None:
    distinct["timeline"][1]["streams"][1].update(name="other", protocol="")
    found = iter(rows(timeline_csv(distinct)))
    for point in distinct["timeline"]:
        for figures in (point, *point["streams"]):
            row = next(found)
            counts = ("started", "finished", "failed", "chunks", "bytes", "tokens")
            expected = {count: str(figures[count]) for count in counts}
            for metric in ("time_to_first_chunk", "chunk_interval", "time_per_output_token"):
                expected |= {f"{metric}_{name}_s": repr(value) for name, value in figures[metric].items()}
            least, most = figures["uncertain"]["chunk_interval"]["p99"]
            expected |= {
                "time_to_first_chunk_uncertain_s": "",
                "time_per_output_token_uncertain_s": "",
                "chunk_interval_uncertain_s": f"p99={least!r}..{most!r}",
            }
            expected |= {"t_s": repr(point["t_s"]), "active": str(point["active"]) if figures is point else ""}
            scope = "all" if figures is point else "name" if figures["protocol"] else "other"
            expected |= {"scope": scope, "name": "", "protocol": ""}
            if scope == "name":
                expected |= {"name": figures["name"], "protocol": figures["protocol"]}
            assert row == expected
    assert next(found, None) is None


def test_what_was_not_measured_is_an_empty_cell(make_older: Callable[..., Result]) -> None:
    result = make_older(seconds=2)
    result["timeline"][0]["chunk_interval"] = {"p50": None, "p99": None}
    first, second = rows(timeline_csv(result))
    assert (first["chunk_interval_p99_s"], first["started"]) == ("", str(result["timeline"][0]["started"]))
    assert second["chunk_interval_p99_s"] == repr(result["timeline"][1]["chunk_interval"]["p99"])
    assert {row["chunk_delay_p99_s"] for row in rows(streams_csv(result))} == {""}


def test_an_outcome_of_another_version_has_a_column(make_result: Callable[..., Result]) -> None:
    result = make_result(seconds=2)
    result["streams"][1]["outcomes"]["evaporated"] = 7
    assert [row["evaporated"] for row in rows(streams_csv(result))] == ["0", "7", "0", "0"]


def test_durations_say_their_unit_in_the_header(distinct: Result) -> None:
    for text in (streams_csv(distinct), timeline_csv(distinct)):
        timed = [name for name in rows(text)[0] if "_p99" in name and not name.startswith("tokens_per_second")]
        assert timed
        assert all(name.endswith("_s") for name in timed)


def test_the_tables_lie_beside_the_result(distinct: Result, tmp_path: Path) -> None:
    streams, timeline = write_tables(distinct, tmp_path)
    assert streams == tmp_path / "streams.csv"
    assert timeline == tmp_path / "timeline.csv"
    assert (streams.read_text(), timeline.read_text()) == (streams_csv(distinct), timeline_csv(distinct))
    assert len(list(tmp_path.iterdir())) == 2


def test_a_count_that_an_older_result_lacks_is_an_empty_cell(distinct: Result) -> None:
    del distinct["streams"][0]["beyond_window"], distinct["streams"][0]["reconnects"]
    older, newer = rows(streams_csv(distinct))
    assert (older["beyond_window"], older["reconnects"]) == ("", "")
    assert (newer["beyond_window"], newer["reconnects"]) != ("", "")


def test_a_name_that_is_not_text_is_written_all_the_same(distinct: Result, tmp_path: Path) -> None:
    distinct["streams"][0]["name"] = "caf\udce9"
    streams, _ = write_tables(distinct, tmp_path)
    assert [row["name"] for row in rows(streams.read_text("utf-8"))] == ["caf?", 'say "x"']
