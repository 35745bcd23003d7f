"""The arrival clock, on clocks that do what clocks do."""

import pytest

from streamgauge.stats.clocks.arrival import FUTURE_NS, READABLE_AFTER_NS, SAME_CLOCK_NS, ArrivalClock

OFFSET_NS = 1_700_000_000 * 10**9
MS, US = 1_000_000, 1_000


class Clocks:
    """Wall and monotonic clock of a process; each look at one of them takes 100 ns, and ``stolen_ns`` once."""

    def __init__(self) -> None:
        self.true_ns = 10**12
        self.offset_ns = OFFSET_NS
        self.stolen_ns: list[int] = []
        self.arrivals = ArrivalClock(self.wall, self.monotonic)

    def wall(self) -> int:
        return self._look() + self.offset_ns

    def monotonic(self) -> int:
        return self._look()

    def _look(self) -> int:
        self.true_ns += 100 + (self.stolen_ns.pop(0) if self.stolen_ns else 0)
        return self.true_ns

    def read_after(self, age_ns: int, stamp_offset_ns: int | None = None) -> int:
        """How far off is the located arrival of what came ``age_ns`` ago?"""
        self.arrivals.begin_pass()
        return self.off_in_pass(age_ns, stamp_offset_ns)

    def off_in_pass(self, age_ns: int, stamp_offset_ns: int | None = None) -> int:
        """The same of one more read in the present pass."""
        arrival_ns = self.true_ns - age_ns
        stamp_ns = arrival_ns + (self.offset_ns if stamp_offset_ns is None else stamp_offset_ns)
        return self.arrivals.locate(stamp_ns) - arrival_ns

    def counts(self) -> tuple[int, int, int]:
        return self.arrivals.reads, self.arrivals.fallbacks, self.arrivals.steps


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.mark.parametrize("age_ns", [0, 300, 50 * US, 7 * MS, 3_000 * MS])
def test_an_arrival_is_where_the_kernel_saw_it_however_late_the_read(clocks, age_ns):
    clocks.true_ns += 5_000 * MS
    assert abs(clocks.read_after(age_ns)) < US
    assert clocks.counts() == (1, 0, 0)


def test_the_read_time_is_kept_beside(clocks):
    read_ns = clocks.true_ns
    clocks.read_after(5 * MS)
    assert abs(clocks.arrivals.now_ns - read_ns) < US


def test_what_a_part_brings_came_after_the_loop_last_asked_at_all_and_the_rest_after_it_last_asked_for_all(clocks):
    asked_ns, floors_ns = [], []
    for whole in (True, True, False, False, True):
        clocks.true_ns += 10 * MS
        asked_ns.append(clocks.true_ns)
        begin = clocks.arrivals.begin_pass if whole else clocks.arrivals.begin_part
        begin()
        floors_ns.append(clocks.arrivals.floor_ns)
        if not whole:
            clocks.arrivals.end_part()
            assert clocks.arrivals.floor_ns == floors_ns[1]
    expected = [asked_ns[0], asked_ns[1], asked_ns[2], asked_ns[1]]
    assert [round(floor_ns / MS) for floor_ns in floors_ns[1:]] == [round(ns / MS) for ns in expected]


@pytest.mark.parametrize("stolen_ns", [3 * US, 150 * US, 5 * MS, 2_000 * MS])
def test_being_preempted_between_the_two_clocks_moves_no_arrival(clocks, stolen_ns):
    clocks.read_after(0)
    clocks.stolen_ns = [0, stolen_ns]  # between wall and monotonic clock
    assert abs(clocks.read_after(MS)) < 2 * US
    assert abs(clocks.read_after(MS)) < 2 * US
    assert clocks.counts() == (3, 0, 0)


def test_being_preempted_in_the_second_look_too_moves_no_arrival(clocks):
    clocks.stolen_ns = [0, 5 * MS, 0, 0, 3 * MS, 0, 0, 0, 4 * MS]
    assert abs(clocks.read_after(MS)) < 2 * US
    assert clocks.counts() == (1, 0, 0)


@pytest.mark.parametrize("gap_ns", [MS, 100 * MS, 10_000 * MS, 600_000 * MS])
@pytest.mark.parametrize("slew", [-500e-6, 500e-6])
def test_slewing_is_followed_and_is_no_step(clocks, gap_ns, slew):
    for _ in range(5):
        clocks.true_ns += gap_ns
        clocks.offset_ns += round(gap_ns * slew)
        assert abs(clocks.read_after(20 * US)) < 3 * US
    assert clocks.counts() == (5, 0, 0)


@pytest.mark.parametrize("step_ns", [10 * MS, 3_600_000 * MS, -10 * MS, -3_600_000 * MS])
def test_a_step_is_counted_and_its_read_timed_by_the_read(clocks, step_ns):
    clocks.read_after(MS)
    before_ns = clocks.offset_ns
    clocks.offset_ns += step_ns
    late_ns = clocks.read_after(5 * MS, stamp_offset_ns=before_ns)
    assert abs(late_ns - 5 * MS) < 3 * US
    assert clocks.counts() == (2, 1, 1)


@pytest.mark.parametrize("step_ns", [10 * MS, -10 * MS])
def test_after_a_step_arrivals_are_good_again(clocks, step_ns):
    clocks.offset_ns += step_ns
    clocks.read_after(0)
    clocks.true_ns += 10 * MS
    assert abs(clocks.read_after(5 * MS)) < US
    assert clocks.arrivals.steps == 1


def test_what_was_stamped_before_a_step_and_read_after_it_is_timed_by_the_read(clocks):
    before_ns = clocks.offset_ns
    clocks.offset_ns += 500 * MS
    clocks.read_after(0)
    fallbacks = clocks.arrivals.fallbacks
    assert abs(clocks.read_after(20 * MS, stamp_offset_ns=before_ns) - 20 * MS) < US
    assert clocks.arrivals.fallbacks == fallbacks + 1


def test_a_stamp_a_little_in_the_future_is_rounding(clocks):
    assert abs(clocks.read_after(-FUTURE_NS // 2) + FUTURE_NS // 2) < US
    assert clocks.counts() == (1, 0, 0)


def test_a_stamp_far_in_the_future_cannot_be(clocks):
    read_ns = clocks.true_ns
    assert abs(clocks.arrivals.locate(read_ns + clocks.offset_ns + MS) - read_ns) < US
    assert clocks.counts() == (1, 1, 0)


def test_without_a_stamp_the_read_is_the_arrival(clocks):
    assert abs(clocks.arrivals.locate(None) - clocks.true_ns) < US
    assert clocks.counts() == (1, 1, 0)


def test_changes_within_the_bound_are_the_same_clock(clocks):
    clocks.offset_ns += SAME_CLOCK_NS // 2
    clocks.read_after(0)
    clocks.offset_ns -= SAME_CLOCK_NS // 2
    clocks.read_after(0)
    assert clocks.arrivals.steps == 0


@pytest.mark.parametrize("step_ns", [10 * MS, -10 * MS])
def test_a_step_within_a_pass_shows_in_arrivals_that_cannot_be(clocks, step_ns):
    clocks.true_ns += MS
    clocks.read_after(0)
    clocks.offset_ns += step_ns
    assert abs(clocks.off_in_pass(US)) < 3 * US
    assert clocks.arrivals.steps == 1


def test_what_was_left_behind_in_the_kernel_is_older_than_the_pass_and_is_no_step(clocks):
    for _ in range(3):
        clocks.true_ns += MS
        clocks.read_after(0)
    assert abs(clocks.read_after(30 * MS)) < US
    assert clocks.counts() == (4, 0, 0)


@pytest.mark.parametrize("undisturbed", range(5))
def test_one_of_five_looks_that_nothing_came_between_is_enough(clocks, undisturbed):
    clocks.true_ns += MS
    looks = [[0, 0, 0] if look == undisturbed else [0, 0, (look + 1) * MS] for look in range(5)]
    clocks.stolen_ns = [0, 5 * MS, *(stolen for look in looks for stolen in look)]
    assert abs(clocks.read_after(MS)) < 2 * US
    assert clocks.counts() == (1, 0, 0)


def test_each_step_and_each_read_without_a_usable_stamp_is_counted(clocks):
    for step_ns in (10 * MS, -25 * MS, 3_600_000 * MS):
        clocks.offset_ns += step_ns
        clocks.true_ns += 100 * MS
        clocks.read_after(MS)  # it came before the step was found
    assert clocks.counts() == (3, 3, 3)
    clocks = Clocks()
    for _ in range(3):
        clocks.arrivals.locate(None)
    assert clocks.counts() == (3, 3, 0)
    for _ in range(3):
        clocks.off_in_pass(-MS)
    assert clocks.counts() == (6, 6, 0)


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.parametrize("pause_ns", [0, 1_000 * MS, 10_000 * MS])
def test_after_a_pause_a_step_is_what_slewing_by_a_thousandth_cannot_have_done(sign, pause_ns):
    for off_ns, steps in ((-20 * US, 0), (20 * US, 1)):
        clocks = Clocks()
        clocks.read_after(0)
        clocks.true_ns += pause_ns
        clocks.offset_ns += sign * (SAME_CLOCK_NS + pause_ns // 1000 + off_ns)
        clocks.read_after(0)
        assert clocks.arrivals.steps == steps


@pytest.mark.parametrize(("ahead_ns", "fallbacks"), [(FUTURE_NS - US, 0), (FUTURE_NS + US, 1)])
def test_a_stamp_is_in_the_future_from_50_us_on(clocks, ahead_ns, fallbacks):
    clocks.read_after(-ahead_ns)
    assert clocks.counts() == (1, fallbacks, 0)


def test_a_read_of_a_pass_takes_one_look_at_one_clock(clocks):
    clocks.true_ns += MS
    clocks.arrivals.begin_pass()
    before_ns = clocks.true_ns
    for _ in range(50):
        clocks.off_in_pass(0)
    assert clocks.true_ns - before_ns == 50 * 100


def test_the_wall_clock_of_an_arrival_is_told_in_whole_nanoseconds(clocks):
    assert isinstance(clocks.arrivals.wall_offset_ns, int)
    assert abs(clocks.arrivals.wall_offset_ns - clocks.offset_ns) < US
    clocks.offset_ns += 70 * MS
    clocks.read_after(0)
    assert abs(clocks.arrivals.wall_offset_ns - clocks.offset_ns) < US


def test_in_a_pass_that_lasts_long_slewing_is_followed(clocks):
    clocks.read_after(0)
    for _ in range(20):
        clocks.true_ns += 60 * MS
        clocks.offset_ns += 60 * US
        assert abs(clocks.off_in_pass(10 * US)) < 2 * US
    assert clocks.counts() == (21, 0, 0)


class TestFloor:
    """Nothing that a read brought came before the pass before asked what was readable."""

    @staticmethod
    def begin(clocks: Clocks) -> int:
        """Begin a pass, and return when it asked."""
        clocks.true_ns += MS
        clocks.arrivals.begin_pass()
        return clocks.true_ns

    def test_it_is_when_the_pass_before_asked(self, clocks):
        asked_ns = [self.begin(clocks) for _ in range(3)]
        assert clocks.arrivals.floor_ns == asked_ns[1] - READABLE_AFTER_NS

    def test_it_is_the_same_for_all_reads_of_a_pass(self, clocks):
        asked_ns = self.begin(clocks)
        self.begin(clocks)
        for _ in range(3):
            clocks.true_ns += MS
            clocks.off_in_pass(0)
            assert clocks.arrivals.floor_ns == asked_ns - READABLE_AFTER_NS

    def test_it_begins_with_the_clock(self):
        clocks = Clocks()
        begin_ns = clocks.arrivals.now_ns
        self.begin(clocks)
        assert clocks.arrivals.floor_ns == begin_ns
