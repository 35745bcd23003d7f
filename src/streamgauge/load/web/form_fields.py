"""What the start form shows for our options: sections, labels and help."""

import json

from streamgauge.load.options import MULTILINE, form_sections
from streamgauge.load.own_options import has_lines, own_sections

#: The label of each field; its help stands below it.
LABELS = {
    "stream_shape": "Shape",
    "stream_path": "Path or URL",
    "stream_protocol": "Protocol",
    "stream_method": "Method",
    "stream_header": "Headers",
    "stream_body": "Body",
    "stream_send": "Messages to send",
    "stream_accept": "Accept header",
    "stream_include_usage": "Ask for the count of tokens",
    "stream_end": "Named end",
    "stream_error": "Error",
    "stream_chunk": "Chunk",
    "stream_status": "Acceptable statuses",
    "stream_reconnect": "Reconnects",
    "stream_stamps": "Send stamps",
    "stream_slo": "SLO rules",
    "stream_warm_up": "Warm-up",
    "stream_first_chunk_timeout": "First chunk within",
    "stream_idle_timeout": "Next chunk within",
    "stream_total_timeout": "Whole stream within",
    "stream_refusal_pause": "Pause after refusals",
    "stream_connect_to": "Connect to",
    "stream_resolve": "Addresses",
    "stream_unix_socket": "Unix socket",
    "stream_proxy": "Proxy",
    "stream_server_name": "Server name",
    "stream_ca_file": "CA certificates",
    "stream_client_cert": "Client certificate",
    "stream_client_key": "Client key",
    "stream_insecure": "Accept any certificate",
}
_REPEATED = ("; repeat the option, or write", "; repeat the option for several")


def form_script_data() -> str:
    """Return the sections with their fields as JSON, for the script that changes the form."""
    own = [
        {
            "title": heading,
            "fields": [
                _field(each.dest, each.label or _words(each.dest), each.full_help, lines=has_lines(each))
                for each in options
            ],
        }
        for heading, options in own_sections().items()
    ]
    ours = [
        {
            "title": title,
            "fields": [
                _field(name, LABELS[name], help_text, lines=name in MULTILINE) for name, help_text in fields.items()
            ],
        }
        for title, fields in form_sections().items()
    ]
    return json.dumps([*own, *ours]).replace("</", "<\\/")


def _field(name: str, label: str, help_text: str, *, lines: bool) -> dict[str, str | bool]:
    return {"name": camel_case(name), "label": label, "help": _without_command_line(help_text), "lines": lines}


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _without_command_line(help_text: str) -> str:
    """Return the help for a field, which can have several lines instead of being repeated."""
    return help_text.replace(_REPEATED[0], "; write").replace(_REPEATED[1], "; one per line")


def camel_case(name: str) -> str:
    """Return the UI's name of a field."""
    first, *others = name.split("_")
    return first + "".join(map(str.title, others))
