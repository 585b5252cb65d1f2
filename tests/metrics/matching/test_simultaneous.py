"""Which onsets are simultaneous, and which predictions are judged with them."""

import numpy as np

from ossicle.metrics.matching.simultaneous import of_simultaneous, simultaneous


def times(*starts: float) -> np.ndarray:
    return np.array([(start, start + 0.1) for start in starts], dtype=np.float64).reshape(-1, 2)


def test_onsets_of_one_label_are_not_simultaneous_with_each_other() -> None:
    assert not simultaneous({"kick": np.array([1.0, 1.01])}, 0.03)["kick"].any()


def test_the_limit_belongs_to_it_whatever_the_last_bit() -> None:
    result = simultaneous({"a": np.array([0.3]), "b": np.array([0.1 + 0.2 + 0.03])}, 0.03)
    assert result["a"].tolist() == result["b"].tolist() == [True]


def test_predictions_far_from_simultaneous_onsets_are_left_out() -> None:
    references = {"kick": times(0.0, 1.0), "snare": times(1.02), "hat": times(2.0)}
    predictions = {"kick": times(0.0, 1.01), "cowbell": times(1.04, 2.0)}
    kept, result = of_simultaneous(references, predictions, 0.03)
    assert {label: of[:, 0].tolist() for label, of in kept.items()} == {"kick": [1.0], "snare": [1.02], "hat": []}
    # The cowbell beside the two is a false positive there; the one at the lone hat is not.
    assert {label: of[:, 0].tolist() for label, of in result.items()} == {"kick": [1.01], "cowbell": [1.04]}
