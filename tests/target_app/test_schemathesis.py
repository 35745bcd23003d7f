"""The OpenAPI document against the app: nothing that schemathesis makes of it breaks a schema or is a server error."""

import contextlib

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from target_app.app import create_app

#: Its coverage of each value of each knob takes minutes, and `schemathesis run` has it for who wants it.
CONFIG = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": False}}})
SCHEMA = schemathesis.openapi.from_dict(create_app().openapi(), config=CONFIG)
#: The most that a test has time for of what is allowed, and what is allowed.
MODEST = {
    "chunks": (4, 100_000),
    "interval_ms": (1, 60_000),
    "chunk_bytes": (2000, 1 << 20),
    "fail_at": (-1, 100_000),
    "block_ms": (1, 250),
}


def modest(query):
    """The query with its large values made small. What is out of range stays so; a failure asked for is none found."""
    found = dict(query or {})
    for name, (small, largest) in MODEST.items():
        with contextlib.suppress(KeyError, TypeError, ValueError):
            if small < float(found[name]) <= largest:
                found[name] = small
        if found.get(name) == -1:
            del found[name]
    return found


@pytest.fixture(scope="session")
def url(httptools_app):
    return httptools_app.announcement["url"]


@SCHEMA.parametrize()
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_app_does_what_its_document_says(case, url):
    case.query = modest(case.query)
    # A request without an upgrade, as all of these are, is no WebSocket's.
    excluded = [positive_data_acceptance] if case.operation.path == "/stream/ws" else []
    case.call_and_validate(base_url=url, timeout=20, excluded_checks=excluded)
