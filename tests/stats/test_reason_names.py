"""What reasons are counted under, and how rare ones are pooled."""

from streamgauge.stats.reasons import BODY, MAX_REASONS, MAX_REFUSAL_BODIES, MAX_TOLD_APART, ReasonNames, Reasons

REFUSAL = "status 429 Too Many Requests"


def test_a_refusal_is_told_with_its_body():
    assert ReasonNames().of(f"{REFUSAL}{BODY}slow down") == f"{REFUSAL}{BODY}slow down"


def test_ids_in_a_body_do_not_make_another_reason():
    names = ReasonNames()
    bodies = [
        *(
            f'{{"error":"busy, at most 40 tokens","id":"req_0a1b2c3d4e5f{n:04x}","at":{1764500000 + n}}}'
            for n in range(99)
        ),
    ]
    assert {names.of(f"{REFUSAL}{BODY}{body}") for body in bodies} == {
        f'{REFUSAL}{BODY}{{"error":"busy, at most 40 tokens","id":"…","at":…}}'
    }


def test_ids_outside_of_a_body_are_kept():
    assert ReasonNames().of("no chunk within 1000000 s") == "no chunk within 1000000 s"


def test_a_refusal_of_many_bodies_is_told_without_them():
    names = ReasonNames()
    told = [names.of(f"{REFUSAL}{BODY}body {'x' * n}") for n in range(20)]
    assert told[MAX_REFUSAL_BODIES:] == [REFUSAL] * (20 - MAX_REFUSAL_BODIES)
    assert len(set(told)) == MAX_REFUSAL_BODIES + 1
    assert names.of(told[0]) == told[0], "a name is its own name"


def test_a_process_tells_so_many_reasons_apart_and_no_more():
    names = ReasonNames()
    told = {names.of(f"the stream said: {'x' * n}") for n in range(3 * MAX_TOLD_APART)}
    assert len(told) == MAX_TOLD_APART + 1
    assert names.of("something new") == "other reasons"
    assert names.of(f"{REFUSAL}{BODY}new too") == "other reasons"


def test_bodies_are_pooled_under_their_refusal_before_any_reason_is():
    reasons = Reasons()
    reasons.count("stalled: no chunk within 30 s")
    for n in range(500):
        reasons.count(f"http_error: {REFUSAL}{BODY}{n}")
    assert reasons.total() == 501
    assert len(reasons) == MAX_REASONS
    assert reasons["stalled: no chunk within 30 s"] == 1
    assert reasons[f"http_error: {REFUSAL}"] == 501 - MAX_REASONS + 1
