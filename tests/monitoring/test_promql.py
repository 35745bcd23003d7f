"""Queries are made from the catalog, and from nothing else."""

import pytest

from monitoring.build import check_metrics
from monitoring.promql.panels import gauge_sum, quantile, rate, share
from monitoring.promql.text import CatalogError


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (
            lambda: rate("stream_server_begun_total"),
            "expected a metric of streamgauge.catalog, got 'stream_server_begun",
        ),
        (lambda: rate("stream_server_active"), "expected 'stream_server_active' to be a counter, got a gauge"),
        (
            lambda: gauge_sum("stream_server_active", ("name",)),
            "label of stream_server_active.*, got 'name'",
        ),
        (lambda: quantile(0.9, "stream_server_chunks_total"), "to be a histogram, got a counter"),
    ],
    ids=["unknown", "wrong type", "unknown label", "no histogram"],
)
def test_what_the_catalog_lacks_is_refused(query, message):
    with pytest.raises(CatalogError, match=message):
        query()


def test_client_metrics_follow_the_name_variable():
    assert 'name=~"$name"' in rate("stream_client_started_total")
    assert "$route" not in rate("stream_client_started_total")


def test_a_share_is_zero_where_nothing_was_picked_but_something_counted():
    assert " or 0 * sum(" in share("stream_server_finished_total", 'outcome="error"')


def test_a_dashboard_that_names_an_unknown_series_is_refused():
    panel = {"title": "P", "targets": [{"expr": "sum(rate(stream_server_typos_total[1m]))"}]}
    with pytest.raises(CatalogError, match=r"D: panel 'P': .* got 'stream_server_typos_total'"):
        check_metrics({"title": "D", "panels": [panel], "templating": {"list": []}})
