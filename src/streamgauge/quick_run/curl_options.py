"""Curl's options: which are read, which concern only curl's output or transport, and how words become options.

Every other option is an error that names it, since leaving it out could change the request.
"""

from collections.abc import Iterator, Sequence

#: Options with a value that are read, by each of their names.
VALUES = {
    **dict.fromkeys(("-X", "--request"), "method"),
    **dict.fromkeys(("-H", "--header"), "header"),
    **dict.fromkeys(("-d", "--data", "--data-ascii"), "data"),
    "--data-raw": "data_raw",
    "--data-binary": "data_binary",
    "--data-urlencode": "data_urlencode",
    "--json": "json",
    **dict.fromkeys(("-b", "--cookie"), "cookie"),
    **dict.fromkeys(("-A", "--user-agent"), "user_agent"),
    **dict.fromkeys(("-e", "--referer"), "referer"),
    **dict.fromkeys(("-u", "--user"), "user"),
    "--oauth2-bearer": "bearer",
    **dict.fromkeys(("-x", "--proxy"), "proxy"),
    **dict.fromkeys(("-E", "--cert"), "cert"),
    "--key": "key",
    "--cacert": "cacert",
    "--connect-to": "connect_to",
    "--resolve": "resolve",
    "--unix-socket": "unix_socket",
    **dict.fromkeys(("-m", "--max-time"), "max_time"),
    "--url": "url",
    "--url-query": "url_query",
}
#: Switches that are read.
SWITCHES = {
    **dict.fromkeys(("-G", "--get"), "get"),
    **dict.fromkeys(("-I", "--head"), "head"),
    **dict.fromkeys(("-k", "--insecure"), "insecure"),
    **dict.fromkeys(("-L", "--location"), "location"),
    "--compressed": "compressed",
}
#: Options without a value that change only what curl prints, or say what streamgauge does anyway.
SILENT = frozenset(
    (
        *("-N", "--no-buffer", "-s", "--silent", "-S", "--show-error", "-v", "--verbose", "-i", "--include"),
        *("-#", "--progress-bar", "--no-progress-meter", "-f", "--fail", "--fail-with-body", "-g", "--globoff"),
        *("-O", "--remote-name", "-J", "--remote-header-name", "--http1.1", "-q", "--disable", "--path-as-is"),
        *("--raw", "--show-headers", "--styled-output", "--no-styled-output", "--tcp-nodelay", "--keepalive"),
    )
)
#: Options that have no effect here; the user is told.
NOTED_SWITCHES = frozenset(
    (
        *("--http2", "--http2-prior-knowledge", "--http3", "--http3-only", "-0", "--http1.0", "-4", "--ipv4"),
        *("-6", "--ipv6", "--tlsv1", "--tlsv1.0", "--tlsv1.1", "--tlsv1.2", "--tlsv1.3", "-1", "--no-keepalive"),
        *("--retry-all-errors", "--retry-connrefused", "--location-trusted", "--post301", "--post302", "--post303"),
        *("--anyauth", "--basic", "--no-alpn", "--ssl-no-revoke", "-Z", "--parallel", "-n", "--netrc"),
    )
)
#: The same of options with a value; the first ones concern only curl's output, of which nobody needs to be told.
SILENT_VALUES = frozenset(
    (
        *("-o", "--output", "-w", "--write-out", "-D", "--dump-header", "--stderr", "-c", "--cookie-jar"),
        *("--trace", "--trace-ascii", "--output-dir", "--max-redirs"),
    )
)
NOTED_VALUES = frozenset(
    (
        *("--connect-timeout", "--retry", "--retry-delay", "--retry-max-time", "-y", "--speed-time", "-Y"),
        *("--speed-limit", "--keepalive-time", "--limit-rate", "--tls-max", "--ciphers", "--tls13-ciphers"),
        *("--interface", "--dns-servers", "--happy-eyeballs-timeout-ms", "--noproxy"),
    )
)
_WITH_VALUE = frozenset(VALUES) | SILENT_VALUES | NOTED_VALUES


class CurlProblem(ValueError):
    """Raised for a curl command that cannot be read, or that asks for what a stream cannot do."""


def options_of(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option with its value, and the URL with an empty name. Raises CurlProblem."""
    rest = iter(words)
    for word in rest:
        if word == "--":
            yield from (("", url) for url in rest)
        elif word.startswith("--"):
            yield word, _value(word, rest) if word in _WITH_VALUE else ""
        elif word.startswith("-") and len(word) > 1:
            yield from _short_options(word, rest)
        else:
            yield "", word


def _short_options(word: str, rest: Iterator[str]) -> Iterator[tuple[str, str]]:
    """Yield the options of a word such as ``-sSNXPOST``: the first with a value takes what follows."""
    for at in range(1, len(word)):
        name = f"-{word[at]}"
        if name in _WITH_VALUE:
            yield name, word[at + 1 :] or _value(name, rest)
            return
        yield name, ""


def _value(name: str, rest: Iterator[str]) -> str:
    value = next(rest, None)
    if value is None:
        raise CurlProblem(f"{name}: expected a value, got nothing")
    return value
