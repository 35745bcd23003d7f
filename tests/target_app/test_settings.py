"""Settings: where they come from, what they may be, and what the help says of them."""

import re

import pytest

from target_app.settings import Settings, read_settings

KEY = "key-0123456789abcdef"


def test_every_setting_is_in_the_help_with_its_variable_and_default(run):
    shown = " ".join(run("--help").stdout.split())
    for name, field in Settings.model_fields.items():
        default = {"True": "on", "()": "none", "": "none", "0.0": "0"}.get(str(field.default), field.default)
        assert f"{field.description} [TARGET_APP_{name.upper()}; default {default}]" in shown


#: What a user gets who sets nothing: the help has these, and nobody should feel another one unasked.
DEFAULTS = {
    "metrics_host": "127.0.0.1",
    "host": "127.0.0.1",
    "port": 8000,
    "metrics_port": 9101,
    "root_path": "",
    "workers": 1,
    "http": "httptools",
    "grace_s": 5,
    "min_drain_s": 1,
    "log_level": "info",
    "api_keys": (),
    "cors_origins": (),
    "trusted_proxies": (),
    "max_streams": 10_000,
    "max_streams_per_client": 0,
    "starts_per_s": 0.0,
    "start_burst": 10,
    "max_body_bytes": 1 << 20,
    "max_stream_s": 3660,
    "send_timeout_s": 30,
    "tcp_user_timeout_s": 30,
    "write_buffer_bytes": 65_536,
    "send_buffer_bytes": 65_536,
    "not_sent_bytes": 16_384,
    "heartbeat_s": 15,
    "compression": True,
    "compress_from_bytes": 500,
}


def test_the_defaults_are():
    assert read_settings([]).model_dump() == DEFAULTS


def test_the_command_line_beats_the_environment(monkeypatch):
    monkeypatch.setenv("TARGET_APP_MAX_STREAMS", "8")
    assert read_settings(["--max-streams", "7"]).max_streams == 7
    assert read_settings([]).max_streams == 8


def test_an_empty_variable_is_as_if_it_were_not_set(monkeypatch):
    default = read_settings([])
    monkeypatch.setenv("TARGET_APP_MAX_STREAMS", "")
    assert read_settings([]) == default


def test_an_option_that_may_be_repeated_is_a_list_with_commas_in_the_environment(monkeypatch):
    given = ["--cors-origin", "https://a.example", "--cors-origin", "https://b.example:8443"]
    expected = ("https://a.example", "https://b.example:8443")
    assert read_settings(given).cors_origins == expected
    monkeypatch.setenv("TARGET_APP_CORS_ORIGINS", ", ".join(expected))
    assert read_settings([]).cors_origins == expected


@pytest.mark.parametrize(("text", "value"), [("on", True), ("off", False)])
def test_a_switch_is_on_or_off(text, value):
    assert read_settings(["--compression", text]).compression is value


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("workers", "0"),
        ("workers", "many"),
        ("workers", "257"),
        ("workers", "1_0"),
        ("port", "65536"),
        ("host", ""),
        ("http", "h2"),
        ("log-level", "INFO"),
        ("max-streams", "-1"),
        ("starts-per-s", "1e3"),
        ("starts-per-s", "nan"),
        ("start-burst", "0"),
        ("max-body-bytes", "12"),
        ("max-stream-s", "0"),
        ("send-timeout-s", "0"),
        ("send-buffer-bytes", "64K"),
        ("heartbeat-s", "\u0661"),
        ("compression", "yes"),
        ("cors-origin", "pages.example"),
        ("cors-origin", "https://pages.example/"),
        ("trusted-proxy", "10.0.0.0/40"),
        ("root-path", "gauge"),
        ("root-path", "//other.example"),
        ("root-path", "/a b"),
        ("min-drain-s", "-1"),
    ],
)
def test_what_an_option_cannot_be_is_named_with_its_value(capsys, option, value):
    with pytest.raises(SystemExit, match=r"^2$"):
        read_settings([f"--{option}={value}"])
    assert re.fullmatch(rf"target_app: --{option}: must .*, got {re.escape(repr(value))}\n", capsys.readouterr().err)


def test_a_wrong_variable_is_named_with_its_value(capsys, monkeypatch):
    monkeypatch.setenv("TARGET_APP_TRUSTED_PROXIES", "10.0.0.1, 10.0.0.0/40")
    with pytest.raises(SystemExit, match=r"^2$"):
        read_settings([])
    assert capsys.readouterr().err.startswith("target_app: TARGET_APP_TRUSTED_PROXIES: must be an address or a network")


def test_the_app_and_its_metrics_cannot_share_a_port(capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        read_settings(["--port", "9101"])
    assert capsys.readouterr().err == "target_app: --port and --metrics-port must differ, got 9101 for both\n"


def test_an_option_that_there_is_not_is_named(capsys):
    with pytest.raises(SystemExit, match=r"^2$"):
        read_settings(["--worker", "2"])
    assert capsys.readouterr().err == "target_app: unrecognized arguments: --worker 2\n"


@pytest.mark.parametrize("key", ["short", "with a blank in it 123", "with-ümlaut-123456", "========================"])
def test_a_key_that_cannot_be_one_is_refused_and_not_shown(capsys, monkeypatch, key):
    monkeypatch.setenv("TARGET_APP_API_KEYS", key)
    with pytest.raises(SystemExit, match=r"^2$"):
        read_settings([])
    shown = capsys.readouterr().err
    assert "TARGET_APP_API_KEYS" in shown
    assert key not in shown


def test_settings_that_are_printed_show_no_key():
    assert KEY not in repr(read_settings(["--api-key", KEY]))
