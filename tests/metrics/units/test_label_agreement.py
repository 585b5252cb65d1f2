import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import adjusted_mutual_info_score, normalized_mutual_info_score

from ossicle.metrics.units.label_agreement import (
    adjusted_mutual_information,
    contingency,
    expected_mutual_information,
    label_agreement,
    mutual_information,
    normalised_mutual_information,
    purity,
)


def drawn(seed, n, n_labels, n_units, tied=0.5):
    """Labels and units; a share of the units follows the label."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(n_labels, size=n)
    units = np.where(generator.random(n) < tied, labels % n_units, generator.integers(n_units, size=n))
    return labels, units


@pytest.mark.parametrize(
    ("n", "n_labels", "n_units"), [(20, 3, 4), (500, 40, 7), (3000, 900, 100), (20000, 300, 100), (60000, 2, 2)]
)
@pytest.mark.parametrize("tied", [0.0, 0.3, 1.0])
def test_adjusted_and_normalised_information_equal_scikit_learn(n, n_labels, n_units, tied):
    labels, units = drawn(n, n, n_labels, n_units, tied)
    table = contingency(labels, units)
    assert adjusted_mutual_information(table) == pytest.approx(adjusted_mutual_info_score(labels, units), abs=1e-9)
    assert normalised_mutual_information(table) == pytest.approx(normalized_mutual_info_score(labels, units), abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=60))
def test_adjusted_information_equals_scikit_learn_on_any_labelling(pairs):
    labels, units = np.array(pairs).T
    ami = adjusted_mutual_information(contingency(labels, units))
    if min(len(set(labels)), len(set(units))) < 2:
        assert math.isnan(ami)
    elif math.isnan(ami):  # every permutation agrees as much, so that nothing can be adjusted
        assert len(set(labels)) == len(set(units)) == len(pairs)
    else:
        assert ami == pytest.approx(adjusted_mutual_info_score(labels, units), abs=1e-9)


def test_the_expected_information_is_the_mean_over_all_permutations():
    labels, units = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2])
    over = [
        mutual_information(contingency(labels, np.array(permutation))) for permutation in itertools.permutations(units)
    ]
    assert expected_mutual_information(contingency(labels, units)) == pytest.approx(np.mean(over), abs=1e-12)


def test_purity_is_the_share_of_the_most_frequent_labels():
    labels, units = np.array([0, 0, 1, 1, 2, 2]), np.array([0, 0, 0, 1, 1, 1])
    assert purity(contingency(labels, units)) == pytest.approx(4 / 6)


def test_units_without_information_are_at_chance_in_every_figure():
    labels, units = drawn(3, 20000, 400, 100, tied=0.0)
    agreement = label_agreement(labels, units, np.arange(20000) // 200)
    assert abs(agreement.ami.value) < 0.003
    assert abs(agreement.ami_shuffled) < 0.003
    assert agreement.ami.low < 0 < agreement.ami.high
    # The normalised information and purity look like agreement, which only their chance levels put right.
    assert agreement.nmi.value > 0.1
    assert agreement.nmi.value == pytest.approx(agreement.nmi_chance, abs=0.003)
    assert agreement.purity.value == pytest.approx(agreement.purity_shuffled, abs=0.003)


def test_long_runs_agree_by_chance_and_units_moved_in_time_show_how_much():
    draw = np.random.default_rng(4)
    # Labels and units change every 10 frames at the same moments, and know nothing of each other.
    labels, units = (np.repeat(draw.integers(0, n, 400), 10) for n in (150, 60))
    agreement = label_agreement(labels, units, np.arange(4000) // 200)
    assert abs(agreement.ami_shuffled) < 0.01
    assert agreement.ami.value > 0.1
    assert agreement.ami_shifted == pytest.approx(agreement.ami.value, abs=0.02)
    heard = label_agreement(labels, labels % 60, np.arange(4000) // 200)
    assert heard.ami.value > heard.ami_shifted + 0.3


def test_the_interval_holds_the_figure_of_many_more_recordings():
    labels, units = drawn(5, 40000, 30, 20, tied=0.2)
    whole = label_agreement(labels, units, np.arange(40000) // 100)
    part = label_agreement(labels[:4000], units[:4000], np.arange(4000) // 100)
    assert part.ami.low < whole.ami.value < part.ami.high
    assert part.ami.high - part.ami.low > whole.ami.high - whole.ami.low
    assert (part.n, part.n_labels) == (4000, 30)


def test_figures_without_frames_are_undefined():
    nothing = np.zeros(0, dtype=np.int64)
    agreement = label_agreement(nothing, nothing, nothing).to_json()
    assert agreement["ami"] == {"value": None, "low": None, "high": None}
    assert agreement["nmi"]["chance"] is agreement["purity"]["shuffled"] is agreement["ami_shuffled"] is None
    assert agreement["ami_shifted"] is None


def test_one_recording_gives_no_interval():
    labels, units = drawn(1, 100, 4, 4)
    agreement = label_agreement(labels, units, np.zeros(100, dtype=np.int64))
    assert agreement.ami.value > 0.2
    assert math.isnan(agreement.ami.low)


def test_arrays_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match=r"labels \(3,\), units \(2,\)"):
        label_agreement(np.zeros(3, dtype=int), np.zeros(2, dtype=int), np.zeros(3, dtype=int))


@pytest.mark.parametrize("n_recordings", [2, 3])
def test_intervals_stay_within_what_a_figure_can_be(n_recordings):
    recordings = np.repeat(np.arange(n_recordings), 40)
    labels = np.tile(np.arange(40) % 2, n_recordings)
    units = np.where(recordings == 0, np.random.default_rng(0).integers(0, 2, len(labels)), labels)
    agreement = label_agreement(labels, units, recordings)
    for estimate in (agreement.nmi, agreement.purity):
        assert (
            0 <= estimate.low <= estimate.value <= estimate.high <= 1
            if n_recordings > 2
            else np.isnan([estimate.low, estimate.high]).all()
        )
    assert agreement.ami.high <= 1 or n_recordings == 2
