"""The host that users stream to: the run's own wins over those of user classes, and only users that stream need one."""

import pytest

TAKEN = [
    ("", [None]),
    ("", []),
    ("http://h", [None]),
    ("https://h:8443/below", [None]),
    ("http+unix://%2Frun%2Fapp.sock", [None]),
    ("", ["http://h", None, "https://[::1]:8443"]),
    ("http://h", ["nonsense", "ftp://h"]),
    ("http://user:password@h/below/", [None]),
]
#: A host, those of the user classes, and the one of them that is refused.
REFUSED = [
    ("example.org", [None], "example.org"),
    ("localhost:8000", ["http://h"], "localhost:8000"),
    ("//h", ["http://h"], "//h"),
    ("", ["http://h", "nonsense"], "nonsense"),
    ("", ["nonsense", "http://h"], "nonsense"),
    ("", [None, "ftp://h"], "ftp://h"),
    ("http://", [None], "http://"),
    ("http://a b", [None], "http://a b"),
    ("http://h:70000", [None], "http://h:70000"),
    ("http://\udcff", [None], "http://\udcff"),
    ("http://h/below?x=1", [None], "http://h/below?x=1"),
    ("http://h/?", ["http://h"], "http://h/?"),
    ("https://h/#/app", [None], "https://h/#/app"),
    ("", ["http://h#x"], "http://h#x"),
    (" http://h", [None], " http://h"),
    ("http://h ", [None], "http://h "),
    ("http:h", [None], "http:h"),
]


@pytest.mark.parametrize(("host", "of_users"), TAKEN)
def test_a_host_that_can_be_streamed_to_is_taken(read, host, of_users):
    assert read(host=host, of_users=of_users) == {"value": None}


@pytest.mark.parametrize(("host", "of_users", "wrong"), REFUSED)
def test_a_host_that_no_user_can_stream_to_is_refused_by_name(read, host, of_users, wrong):
    said = read(host=host, of_users=of_users)["said"]
    shown = repr(wrong)[1:-1].rstrip("/")
    assert f"'{shown}" in said
    if "://" not in wrong:
        assert said == f"expected a URL such as http://127.0.0.1:8000, got {wrong!r}"
