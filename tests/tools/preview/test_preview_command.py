"""``python -m tools.preview``: mistakes are named."""

import re
import socket

import pytest

from tools.preview.__main__ import main


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--last", "soon"], "--last: expected a time range such as 90s, 15m or 6h, got 'soon'"),
        (["--last", "0s"], "--last: expected a time range .*'0s'"),
        (["--set", "run"], "--set: expected NAME=VALUE, got 'run'"),
    ],
)
def test_a_bad_value_exits_2_and_names_the_option(options, message, capsys, tmp_path):
    with pytest.raises(SystemExit) as stopped:
        main(["--prometheus", "http://127.0.0.1:9", "--output", str(tmp_path), *options])
    assert stopped.value.code == 2
    assert re.search(message, capsys.readouterr().err)


def test_an_address_without_a_scheme_exits_2_and_is_named(capsys, tmp_path):
    assert main(["--prometheus", "localhost:9090", "--output", str(tmp_path)]) == 2
    assert "--prometheus: expected a Prometheus at localhost:9090" in capsys.readouterr().err


def test_a_prometheus_that_is_not_there_exits_2_and_is_named(capsys, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as sock:
        url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    assert main(["--prometheus", url, "--output", str(tmp_path)]) == 2
    assert f"--prometheus: expected a Prometheus at {url}" in capsys.readouterr().err
