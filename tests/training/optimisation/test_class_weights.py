import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight

from ossicle.core.records import Clip
from ossicle.training.optimisation.class_weights import class_weights, clip_counts

COUNTS = [246, 179, 60, 15]
TRUTH = np.repeat(np.arange(4), COUNTS)


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    expected = compute_class_weight("balanced", classes=np.arange(4), y=TRUTH)
    result = class_weights(COUNTS, "balanced")
    assert result is not None
    np.testing.assert_allclose(result.numpy(), expected, rtol=1e-6)


@pytest.mark.parametrize(("how", "power"), [("balanced", 1.0), ("sqrt", 0.5)])
def test_weights_fall_with_the_count_and_have_a_mean_of_one_over_clips(how: str, power: float) -> None:
    result = class_weights(COUNTS, how)
    assert result is not None
    assert np.isclose(result.numpy()[TRUTH].mean(), 1.0, rtol=1e-6)
    np.testing.assert_allclose(result[3] / result[0], (246 / 15) ** power, rtol=1e-6)


def test_no_weights_are_none_and_a_label_without_clips_has_one() -> None:
    assert class_weights(COUNTS, "none") is None
    result = class_weights([30, 0, 10], "balanced")
    assert result is not None
    torch.testing.assert_close(result, torch.tensor([2 / 3, 1.0, 2.0]))
    assert class_weights([0, 0], "sqrt").tolist() == [1.0, 1.0]  # type: ignore[union-attr]


def test_only_targets_are_counted_in_the_order_of_the_labels() -> None:
    clips = [
        *[Clip("r", float(i), i + 0.5, "target", 0, "g", "kick") for i in range(3)],
        Clip("r", 9.0, 9.5, "target", 0, "g", "snare"),
        Clip("r", 10.0, 10.5, "noise", 0, "g", ""),
    ]
    assert clip_counts(clips, ("ride", "snare", "kick")) == [0, 1, 3]
