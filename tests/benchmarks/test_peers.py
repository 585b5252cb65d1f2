"""Ratios, epochs and break-evens of the peer benchmarks; their runs need environments of their own."""

import pytest
from hypothesis import given
from hypothesis import strategies as st


def run_of(wall_s: float) -> object:
    from processes import Measured

    return Measured(wall_s, wall_s, 100.0, "")


def test_ratios_are_those_of_neighbours_in_time() -> None:
    from bench_inference_peer import ratios, times

    assert ratios([10.0, 20.0, 30.0], [5.0, 5.0, 10.0]) == [2.0, 3.0, 4.0]
    assert times([2.0, 3.0, 4.0]) == "**3.00** (2.00 to 4.00)"
    assert times([-2.0, 3.0, 4.0]) == "–"


def test_the_start_is_taken_off_and_the_target_judged_on_whole_commands() -> None:
    from bench_inference_peer import Timed, rows, verdicts

    theirs = Timed([run_of(42.0), run_of(40.0)], [run_of(10.0), run_of(10.0)])  # type: ignore[list-item]
    ours = Timed([run_of(21.0), run_of(20.0)], [run_of(5.0), run_of(5.0)])  # type: ignore[list-item]
    result = {"opensoundscape, 0 workers": theirs, "ours, torch fp32": ours}
    last = rows(result, "opensoundscape, 0 workers", 1.0)[-1]
    assert last[1:3] == ["20.5 (20.0 to 21.0)", "5.0"]
    assert last[-2:] == ["**2.00** (2.00 to 2.00)", "**2.00** (2.00 to 2.00)"]
    assert verdicts(result, "opensoundscape, 0 workers") == [
        "- fp32: 1.8 times asked, 2.00 measured (ours, torch fp32): met."
    ]


@given(st.integers(1, 5), st.integers(3, 6), st.floats(0.5, 9.0))
def test_later_epochs_leave_the_first_and_the_unfinished_out(per_epoch: int, epochs: int, step_s: float) -> None:
    from bench_training_peer import later_epochs

    begins = [100.0 + step_s * k for k in range(per_epoch * epochs)]
    result = later_epochs(begins, per_epoch)
    assert result == pytest.approx([per_epoch * step_s] * (epochs - 2))


def test_a_store_is_earned_back_or_never() -> None:
    from bench_training_peer import break_even

    assert break_even(10.0, 4.0, 9.0) == "2"
    assert break_even(11.0, 4.0, 9.0) == "3"
    assert break_even(10.0, 9.0, 9.0) == "never"


def test_a_command_is_measured_with_what_it_prints() -> None:
    import sys

    from processes import CommandFailed, measured

    block = "import time; kept = bytearray(64 << 20); time.sleep(0.3); print(len(kept))"
    result = measured([sys.executable, "-c", block])
    assert result.printed.strip() == str(64 << 20)
    assert result.peak_mib > 60
    assert result.wall_s >= 0.3
    with pytest.raises(CommandFailed, match="exit code 3: gone"):
        measured([sys.executable, "-c", "import sys; print('gone', file=sys.stderr); sys.exit(3)"])


def test_the_page_of_trainings_pairs_runs_and_counts_the_store() -> None:
    from argparse import Namespace

    from bench_training_peer import page

    def theirs(epoch_s: float) -> dict[str, object]:
        return {"epochs_s": [epoch_s], "clips": 160, "wall_s": 99.0, "peak_mib": 900.0, "version": "0", "torch": "2"}

    def ours(epoch_s: float) -> dict[str, object]:
        return {"epochs_s": [epoch_s], "clips": 160, "wall_s": 50.0, "peak_mib": 800.0, "store_s": 30.0}

    runs = {
        "opensoundscape": [theirs(20.0), theirs(40.0)],
        "ours, fp32": [ours(10.0), ours(20.0)],
        "ours, bf16": [ours(5.0), ours(8.0)],
    }
    text = page(runs, Namespace(epochs=3, threads=2, rounds=2, workers=0, batch=32), 160)
    # Twice as fast in both pairs although the machine was half as fast in the second.
    assert "| ours, fp32 | 12.0 (8.0 to 16.0) | **2.00** (2.00 to 2.00) | 30.0 | 2 |" in text
    assert "**4.50** (4.00 to 5.00)" in text
    assert "3 times opensoundscape asked, 4.50 measured in bf16: met." in text
