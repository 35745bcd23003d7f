"""Text that every sink can carry."""

import json
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, generate_latest

from streamgauge.stats.visible_text import one_line, visible


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("chat", "chat"),
        ("a\udc80", "a\\udc80"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\nb\r\tc\x00", "a\\nb\\r\\tc\\x00"),
        ("a\u2028b\x85c\uffff", "a\\u2028b\\x85c\\uffff"),
        ("n\xa0b \u200d\U0001f469 世界", "n\xa0b \u200d\U0001f469 世界"),
    ],
)
def test_only_what_a_sink_cannot_carry_is_escaped(text, seen):
    assert visible(text) == seen


def test_lines_become_one():
    assert one_line(" <html>\r\n\t<body>\x1b\udc80\n") == "<html> <body>\\x1b\\udc80"


@given(st.text(st.characters(exclude_categories=[])))
def test_every_sink_carries_it(text):
    seen = visible(text)
    assert json.loads(json.dumps(seen, ensure_ascii=False).encode()) == seen
    element = ET.Element("a", text=seen)
    assert ET.fromstring(ET.tostring(element, encoding="utf-8")).get("text") == seen
    registry = CollectorRegistry()
    Counter("a", "A.", ["name"], registry=registry).labels(seen).inc()
    generate_latest(registry).decode()
    assert len(seen.splitlines()) <= 1
    assert visible(seen) == seen
