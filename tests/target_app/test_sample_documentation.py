"""docs/sample-app.md names every stream and pathology, and nothing that is not there."""

import re
from pathlib import Path

import pytest

from target_app.knobs import Knobs
from target_app.settings import ENVIRONMENT_PREFIX, Settings
from target_app.streams.catalogue import STREAMS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/sample-app.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`((?:target_app|tests)/[^`]*)`", TEXT))


@pytest.mark.parametrize("stream", STREAMS, ids=lambda stream: stream.path)
def test_every_stream_is_named(stream):
    assert f"{stream.path}`" in TEXT


@pytest.mark.parametrize("name", Knobs.model_fields)
def test_every_knob_is_named(name):
    assert f"`{name}`" in TEXT.partition("## Knobs")[2]


@pytest.mark.parametrize("path", sorted(NAMED))
def test_every_file_that_is_named_is_there(path):
    assert (ROOT / path).exists()


def test_every_setting_that_is_named_is_one():
    variables = {ENVIRONMENT_PREFIX + name.upper() for name in Settings.model_fields}
    assert set(re.findall(rf"{ENVIRONMENT_PREFIX}[A-Z_]+", TEXT)) <= variables


def test_all_ten_tips_have_a_place_and_a_test():
    section = TEXT.partition("## The ten tips")[2].partition("\n## ")[0]
    tips = re.findall(r"^\| ([a-z ]+) \| (.+) \| (.+) \|$", section, re.MULTILINE)[1:]
    assert len(tips) == 10
    assert all("`" in where for _, where, _ in tips)
    assert all("tests/" in held or "make bench" in held for _, _, held in tips)
