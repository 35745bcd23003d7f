"""Each time limit, against a server that would outlast it."""

import pytest

PATHS = ("/silent", "/pauses", "/drips")
#: All different, so that the reason tells one from another.
FIRST_S, IDLE_S, TOTAL_S = 2, 3, 5
NAMES = ("LOCUST_STREAM_FIRST_CHUNK_TIMEOUT", "LOCUST_STREAM_IDLE_TIMEOUT", "LOCUST_STREAM_TOTAL_TIMEOUT")
REASONS = {
    "/silent": f"stalled: no first chunk within {FIRST_S} s",
    "/pauses": f"stalled: no chunk within {IDLE_S} s",
    "/drips": f"stalled: no end within {TOTAL_S} s",
}


def test_each_limit_ends_the_stream_that_oversteps_it(ask, service):
    limits = (
        "--stream-first-chunk-timeout",
        FIRST_S,
        "--stream-idle-timeout",
        IDLE_S,
        "--stream-total-timeout",
        TOTAL_S,
    )
    done = ask(service.url, *limits, paths=PATHS)
    assert done.status == 1, done.output
    found = {each["name"]: (each["outcomes"], each["reasons"]) for each in done.result["streams"]}
    assert found == {path: ({"stalled": 1}, {reason: 1}) for path, reason in REASONS.items()}


@pytest.mark.parametrize(("option", "outcome"), [("", "stalled"), ("0", "completed")])
def test_a_zero_in_the_environment_takes_the_scenarios_limits_away(ask, service, outcomes, option, outcome):
    of_scenario = dict.fromkeys(("first_chunk_timeout_s", "idle_timeout_s", "total_timeout_s"), 0.4)
    done = ask(service.url, paths=("/slow",), arguments=of_scenario, variables=dict.fromkeys(NAMES, option))
    assert outcomes(done) == {"/slow": {outcome: 1}}, done.output
