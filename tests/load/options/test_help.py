"""The headings of ``--help``, as a parser with our options has them."""

import re


def headings(text):
    """The options of ours by the heading that they stand under."""
    titles, title = {}, ""
    for line in text.splitlines():
        if found := re.fullmatch(r"(\S.*):", line):
            title = found[1]
        elif found := re.match(r"  (--stream-[a-z-]+)", line):
            titles.setdefault(title, []).append(found[1])
    return titles


def test_each_option_stands_under_the_heading_of_its_section(read):
    titles = headings(read(help=True)["value"]["text"])
    assert "--stream-path" in titles["Request"]
    assert "--stream-stamps" in titles["What a stream must do"]
    assert "--stream-idle-timeout" in titles["Time limits"]
    assert "--stream-proxy" in titles["Network and TLS"]
    assert titles["Results"] == ["--stream-result-dir"]
    assert titles["Client metrics"] == ["--stream-metrics-port", "--stream-metrics-host", "--stream-metrics-linger"]
    assert titles.keys().isdisjoint({"Common options", "Other options"})
