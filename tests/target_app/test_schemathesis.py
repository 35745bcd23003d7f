"""The OpenAPI document against the app: nothing that schemathesis makes of it breaks a schema or is a server error."""

import contextlib

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from target_app.app import create_app
from target_app.settings import Settings

KEY = "a-key-of-sixteen-or-more"
SCHEMA = schemathesis.openapi.from_dict(create_app().openapi())
#: Of the keys it is the security alone that is looked at: one case for each operation.
ONE_CASE = schemathesis.Config.from_dict({"phases": {"coverage": {"enabled": False}, "examples": {"enabled": False}}})
GUARDED = schemathesis.openapi.from_dict(create_app(Settings(api_keys=(KEY,))).openapi(), config=ONE_CASE)
#: The most that a test has time for of what is allowed, and what is allowed. A knob left out is given so, too.
MODEST = {
    "chunks": (4, 100_000),
    "interval_ms": (1, 60_000),
    "chunk_bytes": (2000, 1 << 20),
    "block_ms": (1, 250),
}


def modest(query, known):
    """The query with its large values made small. What is out of range stays so; a failure asked for is none found."""
    found = dict(query or {})
    for name, (small, largest) in MODEST.items():
        with contextlib.suppress(TypeError, ValueError):
            if name in known and small < float(found.get(name, largest)) <= largest:
                found[name] = small
    with contextlib.suppress(KeyError, TypeError, ValueError):
        if 0 <= float(found["fail_at"]) <= MODEST["chunks"][1]:
            del found["fail_at"]
    return found


@pytest.fixture(scope="session")
def url(httptools_app):
    return httptools_app.announcement["url"]


@SCHEMA.parametrize()
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_app_does_what_its_document_says(case, url):
    """Every value at the edge of what is allowed, and beyond it, and ten cases by chance that are always the same."""
    case.query = modest(case.query, {each.name for each in case.operation.query})
    # A request without an upgrade, as all of these are, is no WebSocket's.
    excluded = [positive_data_acceptance] if case.operation.path == "/stream/ws" else []
    case.call_and_validate(base_url=url, timeout=60, excluded_checks=excluded)


@pytest.fixture(scope="module")
def guarded_url(start_module):
    return start_module("--api-key", KEY).announcement["url"]


@GUARDED.parametrize()
@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
def test_the_document_of_an_app_with_keys_says_where_one_is_asked_for(case, guarded_url):
    """The check goes without a key, and with a wrong one, wherever the document says that one is needed."""
    case.query = modest(case.query, {each.name for each in case.operation.query})
    shown = {"X-API-Key": KEY} if "security" in case.operation.definition.raw else {}
    excluded = [positive_data_acceptance] if case.operation.path == "/stream/ws" else []
    answer = case.call_and_validate(base_url=guarded_url, timeout=60, headers=shown, excluded_checks=excluded)
    assert answer.status_code != 401
