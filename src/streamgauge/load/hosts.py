"""Check the host that users stream to."""

import logging

from locust.env import Environment

from streamgauge.client.connect.target import TargetError, is_whole_url, target_of
from streamgauge.load.scenario_options import ScenarioOptions
from streamgauge.load.users import stream_users

logger = logging.getLogger(__name__)


def check_host(environment: Environment, host: str) -> None:
    """Raise TargetError for a host that no user can stream to. ``host`` is the run's; it wins over a user class's."""
    for each in filter(None, {host or user.host for user in stream_users(environment)}):
        if not is_whole_url(each):
            raise TargetError(f"expected a URL such as http://127.0.0.1:8000, got {each!r}")
        target_of("/", each)


def check_name(environment: Environment, host: str, options: ScenarioOptions) -> None:
    """Raise TargetError if the server's name is set and no user has the address that it belongs to.

    Log a warning if a Host header alone is meant to name the server.
    """
    hosts = [host or str(user.host or "") for user in stream_users(environment)]
    name = options.network.server_name
    if name and not all(hosts):
        raise TargetError(f"expected --host with the address of {name!r}, got none")
    header = next((value for field, value in options.headers.items() if field.lower() == "host"), "")
    if header and not name and any(each.lower().startswith(("https:", "wss:")) for each in hosts):
        logger.warning(
            "--stream-header Host: %s: TLS still asks for the name in --host; --stream-server-name %s sets both",
            *(header, header.partition(":")[0]),
        )


def check_sockets(environment: Environment, host: str, options: ScenarioOptions) -> None:
    """Raise TargetError if the host is a Unix socket already and an option leads its connections elsewhere."""
    overrides = options.network.overrides
    hosts = {host or str(user.host or "") for user in stream_users(environment)}
    for each in hosts:
        if each.lower().startswith("http+unix:") and (
            overrides.unix_socket or overrides.connect_to or overrides.resolve
        ):
            raise TargetError(
                f"{each!r} is a Unix socket already; give a host such as http://localhost for --stream-unix-socket, "
                "--stream-connect-to or --stream-resolve"
            )
