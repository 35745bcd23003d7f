"""What each option comes to, given as option, as variable, in a configuration file or in the web form."""

import re

import pytest

from streamgauge.wire.formats import FORMATS

UNSET = {
    "stream_shape": None,
    "stream_path": None,
    "stream_protocol": None,
    "stream_method": None,
    "stream_header": {},
    "stream_body": None,
    "stream_send": None,
    "stream_end": None,
    "stream_error": None,
    "stream_chunk": None,
    "stream_status": None,
    "stream_accept": None,
    "stream_reconnect": 0,
    "stream_stamps": False,
    "stream_include_usage": False,
    "stream_slo": [],
    "stream_first_chunk_timeout": "unset",
    "stream_idle_timeout": "unset",
    "stream_total_timeout": "unset",
    "stream_refusal_pause": 1.0,
    "stream_warm_up": None,
    "stream_proxy": None,
    "stream_ca_file": None,
    "stream_client_cert": None,
    "stream_client_key": None,
    "stream_connect_to": [],
    "stream_resolve": [],
    "stream_unix_socket": "",
    "stream_server_name": "",
    "stream_insecure": False,
    "stream_metrics_port": None,
    "stream_metrics_host": "127.0.0.1",
    "stream_metrics_linger": None,
    "stream_result_dir": "",
    "stop_timeout": 15,
}
LIMIT = {
    "0": None,
    "0.0": None,
    "8": 8.0,
    " 8.5s ": 8.5,
    "1e-9": 1e-9,
    "1e9": 1e9,
    "1000000000s": 1e9,
    "1m30s": 90.0,
    "2h": 7200.0,
}
#: Values as they are given, and what they come to. FILES is a folder.
TAKEN = {
    "stream_shape": {
        "ramp": ["ramp:from=0,to=10,time=60s", "users", 60],
        " step:from=2,by=2,every=1s,to=6 ": ["step:from=2,by=2,every=1s,to=6", "users", 3],
        "soak": ["soak:level=10,rise=60s", "users", None],
    },
    "stream_path": {
        "/": "/",
        " /a?x=1,2&y ": "/a?x=1,2&y",
        "/ä": "/ä",
        "https://h:8443/x": "https://h:8443/x",
        "http+unix://%2Frun%2Fapp.sock/x": "http+unix://%2Frun%2Fapp.sock/x",
    },
    "stream_protocol": {name: name for name in FORMATS} | {" sse ": "sse"},
    "stream_method": {"get": "GET", " Put ": "PUT", "x-own": "X-OWN"},
    "stream_header": {
        "A: 1": {"A": "1"},
        "A:1": {"A": "1"},
        "A:": {"A": ""},
        " A :  x: y ": {"A": "x: y"},
        "A: é": {"A": "é"},
        "A: 1\nB: 2": {"A": "1", "B": "2"},
        "\rA: 1, 2\r \r\n\nB: \t2\r": {"A": "1, 2", "B": "2"},
        "A: 1\nA: 2": {"A": "2"},
    },
    "stream_body": {
        "text": "text",
        " a\nü ": " a\nÃ¼ ",  # the bytes of UTF-8, as Latin-1 has them
        "a@b": "a@b",
        "@FILES/body": "\x00ÿ two\r\n",
    },
    "stream_send": {
        "text": ["text"],
        " a\nü\r\n\nb@": [" a", "ü", "b@"],
        '{"a":1}\n@FILES/body': ['{"a":1}', "bytes \x00ÿ two\r\n"],
    },
    "stream_end": {
        "event:done": [["EventIs", "done"]],
        "data:a: b": [["DataIs", "a: b"]],
        "chunks:1": [["ChunkCount", 1]],
        "json:choices.0.finish_reason": [["JsonHas", ["choices", "0", "finish_reason"], None]],
        "event:a\n\ndata:b,c": [["EventIs", "a"], ["DataIs", "b,c"]],
        "off": [],
    },
    "stream_error": {"json:error.code=500": [["JsonHas", ["error", "code"], "500"]], "off": []},
    "stream_chunk": {"not event:ping": [["Always"], ["not", "EventIs", "ping"]], "any": [["Always"]]},
    "stream_status": {"429": ["429", 1], " 2xx, 429 ": ["2xx,429", 101], "500-502": ["500-502", 3]},
    "stream_accept": {"a/b": "a/b", " a/b;q=0.5, c/d ": "a/b;q=0.5, c/d", "é": "é"},
    "stream_reconnect": {"0": 0, "1": 1, " 12 ": 12, "9" * 18: 10**18 - 1},
    "stream_slo": {
        "failed == 0": ["failed == 0"],
        " a/duration.p99<1s \n\nchunks > 9": ["a/duration.p99<1s", "chunks > 9"],
    },
    "stream_first_chunk_timeout": LIMIT,
    "stream_idle_timeout": LIMIT,
    "stream_total_timeout": LIMIT,
    "stream_refusal_pause": {"0": 0.0, "0.0s": 0.0, " 2.5s ": 2.5, "1m": 60.0, "1e9": 1e9},
    "stream_warm_up": {"auto": "auto", " auto ": "auto", "30s": 30, "1m30s": 90, "0.2": 1, "1e9": 10**9},
    "stream_proxy": {"http://h:3128": "http://h:3128", " http://u:p@h ": "http://u:p@h"},
    "stream_ca_file": {"FILES/ca.pem": "FILES/ca.pem"},
    "stream_client_cert": {"FILES/both.pem": "FILES/both.pem"},
    "stream_connect_to": {
        "h:1": [["", 0, "h", 1]],
        " [::1]:8443 ": [["", 0, "::1", 8443]],
        ":81": [["", 0, "", 81]],
        "h:": [["", 0, "h", 0]],
        "A.test:443:127.0.0.1:8443": [["a.test", 443, "127.0.0.1", 8443]],
        "::h:\n\na:1:[fe80::2]:2": [["", 0, "h", 0], ["a", 1, "fe80::2", 2]],
    },
    "stream_resolve": {
        "h:1:127.0.0.1": [["h", 1, ["127.0.0.1"]]],
        "+*:443:[::1],10.0.0.5\n[::2]:80:::3": [["*", 443, ["::1", "10.0.0.5"]], ["::2", 80, ["::3"]]],
    },
    "stream_unix_socket": {"/run/app.sock": "/run/app.sock", "a b": "a b", "x" * 107: "x" * 107},
    "stream_server_name": {"Shop.test": "shop.test", " a ": "a", "exämple.test": "xn--exmple-cua.test"},
}
#: Those that the form does not have.
OF_COMMAND = {
    "stream_metrics_port": {"0": 0, "1": 1, "65535": 65535, "": None},
    "stream_metrics_host": {"::1": "::1", "": "127.0.0.1"},
    "stream_metrics_linger": {"0": 0.0, "0s": 0.0, "1.5s": 1.5, "2m": 120.0, "600": 600.0, "": None},
    "stream_result_dir": {"some/where": "some/where"},
}


def pairs(table):
    return [
        pytest.param(name, text, found, id=f"{name}={text!r}") for name in table for text, found in table[name].items()
    ]


@pytest.fixture(scope="module")
def files(authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    (folder / "body").write_bytes(b"\x00\xff two\r\n")
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    issued = authority.issue_cert("localhost")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "both.pem"))
    issued.cert_chain_pems[0].write_to_path(str(folder / "cert.pem"))
    issued.private_key_pem.write_to_path(str(folder / "key.pem"))
    return str(folder)


@pytest.fixture
def taken(read, files):
    """What differs from what it is where nothing is set."""

    def differing(*options, **more):
        outcome = read(*options, **more)
        assert "value" in outcome, outcome["said"]
        found = outcome["value"]
        assert found.keys() == UNSET.keys()
        return {name: value for name, value in found.items() if value != UNSET[name]}

    return differing


def expected(name, value, files):
    value = value.replace("FILES", files) if isinstance(value, str) else value
    return {} if value == UNSET[name] else {name: value}


def flag(name):
    return "--" + name.replace("_", "-")


#: The options that have a short name, without ``stream_``.
SHORT = {
    f"stream_{name}"
    for name in (
        "shape",
        *("first_chunk_timeout", "idle_timeout", "total_timeout", "refusal_pause", "proxy", "insecure", "ca_file"),
        *(
            "connect_to",
            "resolve",
            "unix_socket",
            "client_cert",
            "client_key",
            "server_name",
            "result_dir",
            "metrics_port",
            "metrics_host",
            "metrics_linger",
        ),
    )
}


def test_nothing_set_leaves_all_to_the_scenario(taken):
    assert taken() == {}


@pytest.mark.parametrize(("name", "text", "value"), pairs({**TAKEN, **OF_COMMAND}))
def test_a_value_is_taken_from_an_option_and_from_a_variable(taken, files, name, text, value):
    text = text.replace("FILES", files)
    assert taken(f"{flag(name)}={text}") == expected(name, value, files)
    assert taken(variables={f"LOCUST_{name.upper()}": text}) == expected(name, value, files)


@pytest.mark.parametrize(("name", "text", "value"), pairs(TAKEN))
def test_a_value_is_taken_from_the_form_and_replaces_that_of_an_option(taken, files, name, text, value):
    form = {name: text.replace("FILES", files)}
    assert taken(form=form) == expected(name, value, files)
    assert taken(f"{flag(name)}={next(iter(TAKEN[name])).replace('FILES', files)}", form=form) == expected(
        name, value, files
    )


@pytest.mark.parametrize("name", TAKEN)
def test_an_empty_text_is_no_value_wherever_it_stands(taken, files, name):
    text = list(TAKEN[name])[-1].replace("FILES", files)
    assert taken(f"{flag(name)}=") == {}
    assert taken(variables={f"LOCUST_{name.upper()}": ""}) == {}
    assert taken(f"{flag(name)}={text}", form={name: ""}) == {}


@pytest.mark.parametrize("name", TAKEN)
def test_a_field_that_a_form_does_not_have_leaves_the_option_as_it_is(taken, files, name):
    text, value = list(TAKEN[name].items())[-1]
    option = f"{flag(name)}={text.replace('FILES', files)}"
    assert taken(option, form={"user_count": "1", name.upper(): "x"}) == expected(name, value, files)


@pytest.mark.parametrize("name", OF_COMMAND)
def test_what_the_form_does_not_have_is_not_taken_from_it(taken, name):
    text = next(iter(OF_COMMAND[name]))
    assert taken(form={name: text}) == {}


@pytest.mark.parametrize("name", ["stream_insecure", "stream_stamps", "stream_include_usage"])
def test_a_switch_is_set_by_option_variable_and_form_and_unset_by_the_form(taken, name):
    assert taken(flag(name)) == {name: True}
    assert taken(variables={f"LOCUST_{name.upper()}": "true"}) == {name: True}
    assert taken(variables={f"LOCUST_{name.upper()}": "false"}) == {}
    assert taken(form={name: "true"}) == {name: True}
    assert taken(flag(name), form={name: "false"}) == {}
    assert taken(flag(name), form={name: ""}) == {}
    assert taken(flag(name), form={}) == {name: True}


def test_a_configuration_file_sets_the_same(taken):
    lines = (
        "stream-path = /a",
        "stream-header = A: 1",
        "stream-idle-timeout = 0",
        "stream-insecure = true",
        "stream-metrics-port = 0",
    )
    found = {
        "stream_path": "/a",
        "stream_header": {"A": "1"},
        "stream_idle_timeout": None,
        "stream_insecure": True,
        "stream_metrics_port": 0,
    }
    assert taken(configuration="\n".join(lines)) == found


def test_a_header_option_that_is_repeated_adds_and_skips_what_is_empty(taken):
    options = [f"--stream-header={each}" for each in ("A: 1, 2", "", "B: 2\nC: 3")]
    assert taken(*options) == {"stream_header": {"A": "1, 2", "B": "2", "C": "3"}}


@pytest.mark.parametrize("name", sorted(SHORT & {*TAKEN, *OF_COMMAND}))
def test_a_short_name_sets_the_same_as_option_as_variable_and_in_a_file(taken, files, name):
    text, value = next(iter({**TAKEN, **OF_COMMAND}[name].items()))
    text, short = text.replace("FILES", files), name.removeprefix("stream_")
    assert taken(f"{flag(short)}={text}") == expected(name, value, files)
    assert taken(variables={f"LOCUST_{short.upper()}": text}) == expected(name, value, files)
    assert taken(configuration=f"{flag(short)[2:]} = {text}") == expected(name, value, files)


def test_what_is_given_later_wins_under_either_name_and_an_option_over_a_variable(taken):
    idle, short = "--stream-idle-timeout", "--idle-timeout"
    assert taken(f"{idle}=1", f"{short}=2") == taken(f"{short}=1", f"{idle}=2") == {"stream_idle_timeout": 2.0}
    assert taken(f"{idle}=2", variables={"LOCUST_IDLE_TIMEOUT": "1"}) == {"stream_idle_timeout": 2.0}
    assert taken(f"{short}=2", variables={"LOCUST_STREAM_IDLE_TIMEOUT": "1"}) == {"stream_idle_timeout": 2.0}
    both = {"LOCUST_IDLE_TIMEOUT": "1", "LOCUST_STREAM_IDLE_TIMEOUT": "2"}
    assert taken(variables=both) == {"stream_idle_timeout": 2.0}


def test_another_option_that_is_repeated_has_its_last_value(taken):
    assert taken("--stream-idle-timeout=1", "--stream-idle-timeout=2") == {"stream_idle_timeout": 2.0}


def test_a_certificate_and_its_key_may_be_in_two_files(taken, files):
    given = {"stream_client_cert": f"{files}/cert.pem", "stream_client_key": f"{files}/key.pem"}
    assert taken(*(f"{flag(name)}={file}" for name, file in given.items())) == given


def test_no_port_of_the_metrics_is_no_exporter(taken):
    nothing = {"stream_metrics_port": None, "stream_metrics_host": None, "stream_metrics_linger": None}
    assert {**UNSET, **taken("--stream-metrics-port=off", "--stream-metrics-linger=9")} == {**UNSET, **nothing}


def test_locusts_own_stop_timeout_wins_over_ours(taken):
    assert taken("--stop-timeout=3") == {"stop_timeout": 3}


def test_an_environment_without_options_has_the_same_defaults_and_no_exporter(taken):
    none = dict.fromkeys(("stream_metrics_host", "stream_result_dir", "stop_timeout"))
    assert taken(unparsed=True) == none
    assert taken(unparsed=True, form={"stream_path": "/a"}) == {**none, "stream_path": "/a"}


def test_the_form_has_each_option_but_those_of_the_command_line(read):
    form = read(help=True)["value"]["form"]
    switches = ("stream_insecure", "stream_stamps", "stream_include_usage")
    assert form.keys() == {*TAKEN, "stream_client_key", *switches}
    assert {name: each["default_value"] for name, each in form.items()} == {
        name: False if name in switches else "" for name in form
    }
    assert not [name for name, each in form.items() if not each["help_text"]]


def test_the_help_names_each_option_with_its_value_and_its_default(read):
    text = " ".join(read(help=True)["value"]["text"].split()).replace(" --", "  --")
    shown = {
        "--stream-shape SHAPE": "Defaults come from the number of users and the run time",
        "--stream-path PATH": "",
        "--stream-method METHOD": "",
        "--stream-header 'K: V'": "",
        "--stream-body TEXT|@FILE": "",
        "--stream-end RULE": "or off; repeat the option for several",
        "--stream-error RULE": "or off; repeat the option for several",
        "--stream-chunk RULE": "or any; repeat the option for several",
        "--stream-slo RULE": "repeat the option, or write one rule per line",
        "--stream-status STATUSES": "default those that open a stream",
        "--stream-accept TYPE": "",
        "--stream-reconnect N": "default 0",
        "--stream-first-chunk-timeout SECONDS": "default 30; 0 for no limit",
        "--stream-idle-timeout SECONDS": "default 30; 0 for no limit",
        "--stream-total-timeout SECONDS": "default no limit",
        "--stream-refusal-pause SECONDS": "default 1; 0 for none",
        "--stream-proxy URL": "",
        "--stream-ca-file FILE": "",
        "--stream-client-cert FILE": "",
        "--stream-client-key FILE": "",
        "--stream-stamps": "",
        "--stream-insecure,  --insecure": "",
        "--stream-server-name NAME": "",
        "--stream-connect-to HOST:PORT": "",
        "--stream-resolve HOST:PORT:ADDRESS": "",
        "--stream-unix-socket PATH": "",
        "--stream-result-dir DIR": "",
        "--stream-metrics-port PORT": "default 9102; 0 for a free one; off for none",
        "--stream-metrics-host HOST": "default 127.0.0.1",
        "--stream-metrics-linger SECONDS": "default 15",
    }
    for option, default in shown.items():
        found = re.search(rf" {re.escape(option)}(, +--\S+ \S+)? (?=[A-Z][a-z])", text)
        assert found, option
        after = text[found.end() :]
        words = after.partition(" --")[0]
        assert re.match("[A-Z][a-z]+ ", words), option
        assert default in words
