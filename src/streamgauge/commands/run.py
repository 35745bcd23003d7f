"""The command ``streamgauge run`` and its options."""

from typing import Any

import click

from streamgauge.commands.option_values import (
    Existing,
    NewDirectory,
    NewFile,
    OneOf,
    Port,
    Problem,
    Rate,
    RunTime,
    Text,
    Whole,
    need,
)
from streamgauge.runner.interrupt import Interrupt

_NEEDS = ("locust", "prometheus_client", "rich", "plotly", "jinja2", "hdrh")
_MOST_USERS = 20_000
#: Where the words of the command stand in click's context.
_WORDS, _CURL_WORDS = "streamgauge.run.words", "streamgauge.run.curl_words"
#: The names of ``FORMATS``, whose import would take 80 ms.
_PROTOCOLS = (
    *("auto", "sse", "ndjson", "raw", "websocket", "multipart"),
    *("openai", "openai-responses", "anthropic", "gemini", "ollama"),
)


class _Run(click.Command):
    """A command whose words may be followed by a whole curl command."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Keep what follows the word ``curl`` for curl's own options."""
        at = next((at for at, word in enumerate(args) if word == "curl" and not self._is_value(args, at)), len(args))
        ctx.meta[_WORDS], ctx.meta[_CURL_WORDS] = tuple(args[:at]), tuple(args[at:])
        return super().parse_args(ctx, args[:at])

    def _is_value(self, args: list[str], at: int) -> bool:
        """Whether the word is the value of the option before it."""
        before = args[at - 1] if at else ""
        options = (each for each in self.params if isinstance(each, click.Option) and not each.is_flag)
        return any(before in each.opts for each in options)


_OPTIONS = (
    click.option(
        "--curl",
        type=Text(),
        metavar="COMMAND",
        help="Take the request from a curl command; - reads it from standard input.",
    ),
    click.option(
        "--har", type=Existing("a HAR file"), help="Replay the streams of a recorded session, with their pauses."
    ),
    click.option(
        "-X", "--method", type=Text(), metavar="METHOD", help="Request method.  [default: GET, or POST with -d]"
    ),
    click.option(
        "-H", "--header", multiple=True, type=Text(), metavar="'K: V'", help="Request header; repeat for several."
    ),
    click.option(
        "-d", "--data", type=Text(), metavar="TEXT|@FILE", help="Request body; on a WebSocket, the first message."
    ),
    click.option("-u", "--users", type=Whole(1, _MOST_USERS), help="Concurrent users.  [default: 10; 1 with --har]"),
    click.option("-t", "--run-time", type=RunTime(), help="Length of the run.  [default: 10s; with --har its length]"),
    click.option("-r", "--spawn-rate", type=Rate(), help="Users started per second.  [default: all within 1 s]"),
    click.option(
        "--rate", type=Text(), metavar="RATE", help="Start streams at this rate, whatever the service does: 200/s."
    ),
    click.option(
        "--shape", type=Text(), metavar="SHAPE", help="How the load changes over time, as --stream-shape of Locust."
    ),
    click.option(
        "--warm-up", type=Text(), metavar="TIME|auto", help="Leave the beginning of the run out of the figures."
    ),
    click.option(
        "--slo",
        multiple=True,
        type=Text(),
        metavar="RULE",
        help="Rule that must hold: 'time_to_first_chunk.p99 < 200ms'.",
    ),
    click.option("--protocol", type=OneOf(*_PROTOCOLS), metavar="NAME", help="Format of the stream.  [default: auto]"),
    click.option(
        "--end",
        multiple=True,
        type=Text(),
        metavar="RULE",
        help="The end that a stream must reach, such as event:done.",
    ),
    click.option("--error", multiple=True, type=Text(), metavar="RULE", help="What reports that a stream failed."),
    click.option(
        "--chunk", multiple=True, type=Text(), metavar="RULE", help="What counts as a chunk, such as 'not event:ping'."
    ),
    click.option("--status", type=Text(), metavar="STATUSES", help="Acceptable statuses, such as 2xx,429."),
    click.option("--name", type=Text(), metavar="NAME", help="Name of the stream in the results.  [default: the path]"),
    click.option("-k", "--insecure", is_flag=True, help="Accept any server certificate."),
    click.option("-x", "--proxy", type=Text(), metavar="URL", help="Forward proxy."),
    click.option("--connect-to", multiple=True, type=Text(), metavar="HOST1:PORT1:HOST2:PORT2", help="As in curl."),
    click.option("--resolve", multiple=True, type=Text(), metavar="HOST:PORT:ADDRESS", help="As in curl."),
    click.option("--unix-socket", type=Text(), metavar="PATH", help="Connect through a Unix socket."),
    click.option(
        "--processes", type=Whole(1, 64), default=1, show_default=True, help="Locust processes to share the users."
    ),
    click.option("--web", is_flag=True, help="Start Locust's web UI and keep it open after the run until Ctrl-C."),
    click.option("--web-port", type=Port(), help="Port of Locust's web UI.  [default: 8089, or a free port]"),
    click.option("--save", type=NewFile(), help="Write the run as a locustfile too."),
    click.option(
        "--result-dir",
        type=NewDirectory(),
        default="results",
        show_default=True,
        help="Directory in which each run creates its own directory.",
    ),
    click.option("--quiet", is_flag=True, help="Print only the table, the verdict and the paths."),
)


def _with_options(function: Any) -> Any:
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@click.command(cls=_Run)
@click.argument("url", type=Text(), required=False)
@_with_options
@click.pass_context
def run(ctx: click.Context, /, **options: Any) -> None:
    """Load one URL with concurrent streams and report the results. No locustfile is needed.

    Takes the format from the response: Server-Sent Events, NDJSON, multipart, raw chunks, language models; ws:// is a
    WebSocket. Instead of the URL, give a curl command as browsers copy it: streamgauge run -u 50 curl 'https://…'

    Exit status: 0 passed, 1 a stream or a rule failed, 2 usage, 3 the measurement cannot be trusted, 130 interrupted.
    """
    need(_NEEDS, "load")
    with Interrupt() as interrupt:
        from streamgauge.quick_run.run_options import plan_of
        from streamgauge.quick_run.stream_request import RequestProblem
        from streamgauge.quick_run.whole_run import run_quick
        from streamgauge.runner.ports import PortError

        try:
            plan = plan_of(options, ctx.meta[_WORDS], ctx.meta[_CURL_WORDS])
        except (RequestProblem, PortError) as error:
            raise Problem(str(error)) from None
        status = run_quick(plan, interrupt, quiet=options["quiet"])
    raise SystemExit(status)
