"""Check the host that users stream to."""

from locust.env import Environment

from streamgauge.client.connect.target import TargetError, is_whole_url, target_of
from streamgauge.load.users import stream_users


def check_host(environment: Environment, host: str) -> None:
    """Raise TargetError for a host that no user can stream to. ``host`` is the run's; it wins over a user class's."""
    for each in filter(None, {host or user.host for user in stream_users(environment)}):
        if not is_whole_url(each):
            raise TargetError(f"expected a URL such as http://127.0.0.1:8000, got {each!r}")
        target_of("/", each)
