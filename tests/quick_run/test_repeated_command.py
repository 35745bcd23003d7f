"""The user's command again, with other options; what opens doors is left out."""

import pytest

from streamgauge.quick_run.repeated_command import repeated, shown


@pytest.mark.parametrize(
    ("words", "options", "command"),
    [
        (["http://a?x=1&y", "-u", "3"], {"--users": "30"}, "streamgauge run 'http://a?x=1&y' -u 30"),
        (["-u", "3", "a", "-k"], {"--users": "9"}, "streamgauge run a -k -u 9"),
        (["a", "-d", "x\ny"], {"--users": "9"}, "the same command with -u 9"),
        (["-u3", "a", "--run-time=5s"], {"--users": "9", "--run-time": "9s"}, "streamgauge run a -u 9 -t 9s"),
        (["a", "--slo", "b < 1"], {"--slo": "c < 2"}, "streamgauge run a --slo 'b < 1' --slo 'c < 2'"),
        (["-k", "a"], {"--insecure": ""}, "streamgauge run a -k"),
        (["a", "--save", "x.py"], {"--users": "9"}, "streamgauge run a -u 9"),
        (["-t", "3s", "curl", "-u", "a:b", "x"], {"--run-time": "9s"}, "streamgauge run -t 9s curl -u a:b x"),
        (["a", "-d", "x" * 300], {"--users": "9"}, "the same command with -u 9"),
        (["curl", "x" * 300], {"--users": "9"}, "the same command with -u 9, before curl"),
    ],
)
def test_the_next_command_is_the_users_with_other_options(words, options, command):
    at = words.index("curl") if "curl" in words else len(words)
    assert repeated(words[:at], words[at:], options, secret=False) == command


@pytest.mark.parametrize(
    ("typed", "on_path", "shown"),
    [
        (".venv/bin/streamgauge", None, ".venv/bin/streamgauge"),
        ("/opt/bin/streamgauge", "/usr/bin/streamgauge", "/opt/bin/streamgauge"),
        ("streamgauge", None, "streamgauge"),
        ("/opt/lib/streamgauge/__main__.py", None, "streamgauge"),
    ],
)
def test_the_next_command_starts_the_program_that_was_started(monkeypatch, typed, on_path, shown):
    monkeypatch.setattr("sys.argv", [typed, "run"])
    monkeypatch.setattr("shutil.which", lambda _: on_path)
    assert repeated(["a"], [], {"--users": "9"}, secret=False) == f"{shown} run a -u 9"


def test_a_program_on_the_path_needs_no_path(monkeypatch, tmp_path):
    (own := tmp_path / "streamgauge").touch()
    monkeypatch.setattr("sys.argv", [str(own)])
    monkeypatch.setattr("shutil.which", lambda _: str(own))
    assert repeated(["a"], [], {}, secret=False) == "streamgauge run a"


def test_what_opens_doors_is_not_repeated():
    words = ["http://u:pw@a", "-u", "3"]
    assert repeated(words, [], {"--users": "9"}, secret=True) == "the same command with -u 9"
    assert shown(words, [], secret=True) == "streamgauge run …"
    assert shown(["http://a", "-H", "Cookie: x"], [], secret=True) == "streamgauge run http://a …"
    for word in ("--header", "-HCookie: x", "--curl", "http://u:pw@b"):
        assert shown(["http://a", word, "x"], [], secret=True) == "streamgauge run http://a …"
    assert shown(["-u", "3"], ["curl", "http://a"], secret=True) == "streamgauge run -u 3 …"
    assert shown(["-u", "3"], ["curl", "http://a"], secret=False) == "streamgauge run -u 3 curl http://a"
    assert shown(["http://a", "-u", "3"], [], secret=True) == "streamgauge run http://a -u 3 …"
    assert shown(["http://a", "-H", "A: x"], [], secret=False) == "streamgauge run http://a -H 'A: x'"
    assert shown(["-u", "3", "http://a?token=x"], [], secret=True) == "streamgauge run -u 3 …"
