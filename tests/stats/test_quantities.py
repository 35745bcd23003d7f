"""Declared quantities: what each field of a class says of itself."""

from dataclasses import dataclass
from typing import Annotated

import pytest

from streamgauge.catalog import CATALOG
from streamgauge.stats.generator_stats import GENERATOR_QUANTITIES
from streamgauge.stats.quantities import Counter, Distribution, quantities_of
from streamgauge.stats.stream_quantities import COUNTERS, QUANTITIES


@dataclass
class Counted:
    first: Annotated[int, Counter(metric="stream_client_stalls_total", heading="stalls")] = 0
    plain: int = 0
    share: Annotated[int, Counter(metric="stream_client_stalls_total", meaning="A share.", share_of="first")] = 0
    times: Annotated[list[int], Distribution(metric="stream_client_duration_seconds", renamed="other")] = ()


def test_each_quantity_has_its_field_in_order():
    assert [each.field for each in quantities_of(Counted)] == ["first", "share", "times"]


def test_help_and_unit_are_the_catalogs_unless_it_has_a_meaning_of_its_own():
    first, share, times = quantities_of(Counted)
    assert (first.help, first.unit) == (CATALOG["stream_client_stalls_total"].help, "")
    assert share.help == "A share."
    assert (times.help, times.unit) == (CATALOG["stream_client_duration_seconds"].help, "seconds")


def test_keys_are_those_of_the_fields_or_say_what_is_different():
    assert [each.key for each in quantities_of(Counted)] == ["first", "share_share", "other"]


def test_a_metric_that_the_catalog_lacks_is_refused():
    @dataclass
    class Wrong:
        field: Annotated[int, Counter(metric="stream_client_unheard_of_total")] = 0

    with pytest.raises(KeyError, match="stream_client_unheard_of_total"):
        quantities_of(Wrong)


@pytest.mark.parametrize("quantity", [*QUANTITIES, *GENERATOR_QUANTITIES], ids=lambda each: each.field)
def test_every_quantity_says_what_it_is_in_a_sentence(quantity):
    assert quantity.help.endswith(".")


def test_types_of_metrics_and_what_shares_are_of_fit():
    for each in QUANTITIES:
        expected = "counter" if isinstance(each, Counter) else "histogram"
        assert not each.metric or CATALOG[each.metric].type == expected
        assert not isinstance(each, Counter) or not each.share_of or each.share_of in COUNTERS
