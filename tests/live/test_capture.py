"""Capture: nothing is lost without a gap of known length, and times stay true."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.live.capture import Capture, CaptureTiming, DeviceError, Gap, Stretch

from .simulated import SCALE, FakeClock, SimulatedMicrophone, numbers_of

RATE, BLOCK = 200, 50
HOP_S = BLOCK / RATE
TIMING = CaptureTiming(silent_s=1.5 * HOP_S, reopen_s=1.0, buffer_s=5.0)


def started(device: SimulatedMicrophone, timing: CaptureTiming = TIMING) -> Capture:
    capture = Capture(device.open, device.rate, device.clock, timing)
    capture.start()
    return capture


def read_for(
    capture: Capture, clock: FakeClock, seconds: float, look: Callable[[Stretch | Gap], None] = lambda piece: None
) -> list[Stretch | Gap]:
    """Read for a while, and look at each piece as it comes."""
    pieces, ends_s = [], clock.now_s + seconds
    while clock.now_s < ends_s:
        for piece in capture.read(min(0.1, ends_s - clock.now_s)):
            look(piece)
            pieces.append(piece)
    return pieces


def gaps_of(pieces: list[Stretch | Gap]) -> list[Gap]:
    return [piece for piece in pieces if isinstance(piece, Gap)]


def assert_contiguous(pieces: list[Stretch | Gap]) -> None:
    """Every piece begins where the one before it ended, on one count of samples."""
    position = 0
    for piece in pieces:
        assert piece.start_sample == position
        if isinstance(piece, Stretch):
            position += len(piece.samples)
        elif piece.end_sample is not None:
            assert piece.end_sample >= position
            position = piece.end_sample


def test_samples_come_in_order_and_without_a_gap() -> None:
    clock = FakeClock()
    pieces = read_for(started(SimulatedMicrophone(clock)), clock, 10.0)
    assert gaps_of(pieces) == []
    assert_contiguous(pieces)
    heard = np.concatenate([piece.samples for piece in pieces if isinstance(piece, Stretch)])
    assert np.array_equal(numbers_of(heard), np.arange(len(heard)))
    assert len(heard) >= 9.5 * RATE


def test_an_engine_that_is_too_slow_costs_a_gap_of_exactly_what_was_lost() -> None:
    clock = FakeClock()
    capture = started(SimulatedMicrophone(clock))
    pieces = read_for(capture, clock, 2.0)
    clock.sleep(12.0)
    pieces += read_for(capture, clock, 2.0)
    (gap,) = gaps_of(pieces)
    assert (gap.reason, gap.end_sample is not None) == ("overflow", True)
    assert_contiguous(pieces)
    for piece in pieces:
        if isinstance(piece, Stretch):
            assert numbers_of(piece.samples)[0] == piece.start_sample


def test_an_overflow_of_the_device_is_a_gap_whose_length_comes_from_the_clock() -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock)
    capture = started(device)
    pieces = read_for(capture, clock, 3.0)
    device.lose(20)
    pieces += read_for(capture, clock, 3.0)
    (gap,) = gaps_of(pieces)
    assert gap.reason == "device overflow"
    assert gap.end_sample == gap.start_sample + 20
    assert_contiguous(pieces)


def drop_bit_by_bit(device: SimulatedMicrophone, capture: Capture) -> list[Stretch | Gap]:
    """Lose 60 samples so that no block is late enough to be noticed."""
    pieces = []
    for _ in range(4):
        device.drop(15)
        pieces += read_for(capture, device.clock, 0.55)
    return pieces


def test_samples_that_are_missing_without_a_word_are_found_by_the_clock() -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock)
    capture = started(device)
    pieces = read_for(capture, clock, 20.0)
    pieces += drop_bit_by_bit(device, capture)
    pieces += read_for(capture, clock, 20.0)
    (gap,) = gaps_of(pieces)
    assert gap.reason == "missing"
    assert gap.end_sample == gap.start_sample + 60
    assert_contiguous(pieces)


@pytest.mark.parametrize("reports_end", [True, False])
def test_a_device_that_vanishes_is_a_gap_within_two_hops_and_is_opened_again(reports_end: bool) -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock, reports_end=reports_end)
    capture = started(device)
    pieces = read_for(capture, clock, 5.0)
    device.plugged, gone_s, seen_s = False, clock.now_s, []
    pieces += read_for(capture, clock, 20.0, lambda piece: seen_s.append(clock.now_s))
    assert [piece.end_sample for piece in gaps_of(pieces)] == [None]
    assert seen_s[0] - gone_s <= 2 * HOP_S
    device.plugged, back_s = True, clock.now_s
    pieces += read_for(capture, clock, 15.0)
    opening, closing = gaps_of(pieces)
    assert (opening.reason, opening.start_sample) == (closing.reason, closing.start_sample)
    assert closing.end_sample is not None
    assert device.opened == 2
    # The pause between attempts is bounded, so it is back within that and two blocks.
    lost_s = (closing.end_sample - closing.start_sample) / RATE
    assert abs(lost_s - (back_s - gone_s)) <= TIMING.backoff.most_s + 2 * HOP_S
    assert_contiguous(pieces)


def test_pauses_between_attempts_double_up_to_a_bound() -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock)
    tries: list[float] = []

    def opening(receive: object) -> SimulatedMicrophone:
        tries.append(clock.now_s)
        return device.open(receive)  # type: ignore[arg-type]

    capture = Capture(opening, RATE, clock, TIMING)
    capture.start()
    read_for(capture, clock, 1.0)
    device.plugged = False
    read_for(capture, clock, 60.0)
    pauses = np.diff(tries[1:])
    assert np.allclose(pauses, [0.5, 1.0, 2.0, 4.0, *[5.0] * (len(pauses) - 4)])
    assert capture.last_error == "the microphone is not there"


def test_a_device_that_falls_silent_and_goes_on_is_a_gap_of_that_length() -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock)
    capture = started(device)
    pieces = read_for(capture, clock, 5.0)
    device.silent = True
    pieces += read_for(capture, clock, 0.75)
    device.silent = False
    pieces += read_for(capture, clock, 5.0)
    opening, closing = gaps_of(pieces)
    assert (opening.end_sample, closing.end_sample) == (None, opening.start_sample + 3 * BLOCK)
    assert device.opened == 1
    for piece in pieces:
        if isinstance(piece, Stretch):
            assert numbers_of(piece.samples)[0] == piece.start_sample


def test_a_machine_that_slept_is_a_gap_at_once() -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock)
    capture = started(device)
    pieces = read_for(capture, clock, 20.0)
    # The first block after the sleep is there before anybody looks at the silence.
    clock.now_s += 3600.0
    device.drop(3600 * RATE - BLOCK)
    device.due_s = clock.now_s
    pieces += read_for(capture, clock, 1.0)
    (gap,) = gaps_of(pieces)
    assert gap.end_sample is not None
    assert (gap.reason, (gap.end_sample - gap.start_sample) / RATE) == ("missing", pytest.approx(3600.0, abs=0.3))
    assert capture.wall_of(capture.position) == pytest.approx(clock.wall(), abs=0.3)


def test_a_device_that_is_not_there_at_the_start_is_an_error() -> None:
    clock = FakeClock()
    with pytest.raises(DeviceError, match="not there"):
        started(SimulatedMicrophone(clock, plugged=False))


def test_a_sound_server_may_take_its_time_before_the_first_block() -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock, silent=True)
    capture = started(device)
    assert read_for(capture, clock, 4.5) == []
    device.silent = False
    pieces = read_for(capture, clock, 2.0)
    assert gaps_of(pieces) == []
    assert capture.monotonic_of(0) == pytest.approx(device.true_time(numbers_of(pieces[0].samples)[0]))


def test_a_device_that_never_delivers_is_a_gap_and_is_opened_again() -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock, silent=True)
    capture = started(device)
    assert read_for(capture, clock, 20.0) == [Gap("device", 0, None)]
    assert device.opened > 2
    assert capture.wall_of(0) == pytest.approx(1.7e9)


def test_damaged_samples_are_a_gap() -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock)

    def opening(receive: object) -> SimulatedMicrophone:
        def damaging(samples: np.ndarray, end_s: float, lost: bool) -> None:
            if numbers_of(samples)[0] == 4 * BLOCK:
                samples = samples * np.float32(np.nan)
            receive(samples, end_s, lost)  # type: ignore[operator]

        return device.open(damaging)

    capture = Capture(opening, RATE, clock, TIMING)
    capture.start()
    pieces = read_for(capture, clock, 4.0)
    assert gaps_of(pieces) == [Gap("damaged", 4 * BLOCK, 5 * BLOCK)]
    assert_contiguous(pieces)


@pytest.mark.parametrize("ppm", [100.0, -100.0])
def test_times_stay_true_to_50_ms_over_an_hour_of_drift(ppm: float) -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock, ppm=ppm, jitter_s=0.03)
    capture = started(device)
    worst_s = 0.0

    def look(piece: Stretch | Gap) -> None:
        nonlocal worst_s
        assert isinstance(piece, Stretch)
        error_s = capture.monotonic_of(piece.start_sample) - device.true_time(piece.start_sample)
        worst_s = max(worst_s, abs(error_s))

    read_for(capture, clock, 3600.0, look)
    assert worst_s <= 0.05
    assert abs(capture.drift_ppm - ppm) < 60.0
    # Without the estimate the time of the last sample would be off by 0.36 s.
    assert abs(device.true_time(capture.position) - device.true_time(0) - capture.position / RATE) > 0.3


def test_the_time_of_day_follows_the_wall_clock_when_it_is_set() -> None:
    clock = FakeClock()
    capture = started(SimulatedMicrophone(clock))
    read_for(capture, clock, 10.0)
    before_s = capture.wall_of(RATE)
    clock.set_wall(3600.0)
    assert capture.wall_of(RATE) == pytest.approx(before_s + 3600.0)


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(["listen", "unplug", "unplug, reported", "silent", "stall", "lose", "drop"]),
        st.floats(0.3, 20.0),
    ),
    min_size=1,
    max_size=6,
)


@given(actions=ACTIONS, ppm=st.floats(-200.0, 200.0), seed=st.integers(0, 99))
def test_whatever_happens_pieces_are_contiguous_and_times_true_to_50_ms(
    actions: list[tuple[str, float]], ppm: float, seed: int
) -> None:
    clock = FakeClock()
    device = SimulatedMicrophone(clock, ppm=ppm, jitter_s=0.02, seed=seed)
    capture = started(device)
    settled_from_s = 0.0

    def look(piece: Stretch | Gap) -> None:
        # After a loss without a word the clock needs two of its buckets to see it.
        if isinstance(piece, Stretch) and clock.now_s >= settled_from_s:
            true = numbers_of(piece.samples)[0]
            elapsed = round((clock.now_s - 1000.0) * RATE)
            true += SCALE * round((elapsed - true) / SCALE)
            assert abs(capture.monotonic_of(piece.start_sample) - device.true_time(true)) <= 0.05

    pieces = read_for(capture, clock, 12.0, look)
    for action, seconds in actions:
        if action == "stall":
            clock.sleep(seconds)
        elif action == "lose":
            device.lose(round(seconds * RATE))
        elif action == "drop":
            settled_from_s = clock.now_s + 13.0
            pieces += drop_bit_by_bit(device, capture)
        elif action.startswith("unplug"):
            device.plugged, device.reports_end = False, "reported" in action
            pieces += read_for(capture, clock, seconds, look)
            device.plugged = True
        elif action == "silent":
            device.silent = True
            pieces += read_for(capture, clock, seconds, look)
            device.silent = False
        pieces += read_for(capture, clock, 15.0, look)
    assert_contiguous(pieces)
    heard = sum(len(piece.samples) for piece in pieces if isinstance(piece, Stretch))
    lost = sum(gap.end_sample - gap.start_sample for gap in gaps_of(pieces) if gap.end_sample is not None)
    assert heard + lost == capture.position
