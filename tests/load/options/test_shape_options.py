"""The shape of a run beside its other options."""


def test_a_shape_that_the_run_time_cuts_off_is_refused_with_the_option(read):
    words = "--stream-shape: spike: at=20s and for=5s end after the time of 10 s; raise time or --run-time"
    assert read("--stream-shape=spike:at=20s,for=5s", "--run-time=10")["said"] == words


def test_users_and_run_time_are_the_defaults_of_a_shape_on_the_command_line_and_in_the_form(read):
    given = ("--shape=ramp", "-u40", "--run-time=2m")
    assert read(*given)["value"]["stream_shape"] == ["ramp:from=0,to=40,time=120s", "users", 120]
    said = read(*given, "--stream-shape=ramp:time=1m")["value"]["stream_shape"]
    assert said == ["ramp:from=0,to=40,time=60s", "users", 120]  # the last level remains until the run time


def test_a_number_of_users_that_none_can_have_is_no_default(read):
    assert read("--shape=ramp", "-u0")["value"]["stream_shape"][0] == "ramp:from=0,to=10,time=60s"
