"""The bytes of a request, and which of them are kept."""

import pytest

from streamgauge.client.connect.target import target_of
from streamgauge.client.http.request import Request


@pytest.mark.parametrize(("length", "kept"), [(16_384, True), (16_385, False)])
def test_a_request_is_encoded_once_unless_its_body_is_large(length, kept):
    request = Request("POST", target_of("http://a/b"), {}, b"x" * length)
    first, second = request.encode(), request.encode()
    assert first == second
    assert first.endswith(b"x" * length)
    assert (first is second) == kept
