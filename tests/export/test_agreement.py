import math

import numpy as np
import pytest
import torch

from ossicle.core.errors import ArtefactError, OssicleError
from ossicle.export.agreement import Agreement, agreement, require_agreement
from ossicle.export.speed import Budget, Speed
from ossicle.export.trial import try_export

from .test_export import FRONT, PLAN, network


def test_agreement_by_hand() -> None:
    expected = np.float32([[0.9, 0.1], [0.5, 0.50005], [0.2, 0.6], [0.3, 0.1]])
    found = np.float32([[0.9, 0.1], [0.50005, 0.5], [0.7, 0.6], [0.3, 0.2]])
    result = agreement(expected, found)
    assert (result.n_frames, result.n_heard) == (4, 4)
    assert result.max_difference == pytest.approx(0.5)
    # The second frame's two are tied, and within the margin of float32.
    assert result.same_top == pytest.approx(3 / 4)
    assert result.same_top_outside == pytest.approx(2 / 3)


def test_with_one_label_the_side_of_a_half_counts() -> None:
    result = agreement(np.float32([[0.4], [0.6], [0.50001]]), np.float32([[0.6], [0.7], [0.4]]))
    assert result.same_top == pytest.approx(1 / 3)
    assert result.same_top_outside == pytest.approx(1 / 2)
    assert agreement(np.float32([[0.497], [0.6]]), np.float32([[0.503], [0.6]])).same_top == 1.0


@pytest.mark.parametrize("n_labels", [2, 3])
def test_the_highest_of_scores_in_silence_is_not_compared(n_labels: int) -> None:
    """As in the demo project with bfloat16: all frames that differ are silent, and 98.6 % of all frames agree."""
    rng = np.random.default_rng(0)
    silence = rng.uniform(0.0001, 0.001, (6400, n_labels)).astype(np.float32)
    noisy = silence + rng.normal(0, 0.0005, silence.shape).astype(np.float32).clip(0)
    sound = np.tile(np.float32([0.9, *[0.05] * (n_labels - 1)]), (400, 1))
    expected, found = np.concatenate([silence, sound]), np.concatenate([noisy, sound])
    assert float((expected.argmax(1) == found.argmax(1)).mean()) < 0.9
    result = agreement(expected, found)
    assert (result.same_top, result.n_heard) == (1.0, 400)
    require_agreement("g", "bf16", result)
    # Silence that agrees hides no frame in which another label is heard.
    wrong = np.concatenate([noisy, sound[:380], sound[380:, ::-1]])
    result = agreement(expected, wrong)
    assert result.same_top == 0.95
    with pytest.raises(OssicleError, match=r"top label of only 95\.0 % of 400 frames"):
        require_agreement("g", "bf16", result)


def test_what_only_the_export_hears_counts() -> None:
    result = agreement(np.float32([[0.03, 0.001]] * 9), np.float32([[0.01, 0.8]] * 9))
    assert (result.same_top, result.n_heard) == (0.0, 9)
    assert agreement(np.float32([[0.002, 0.001]]), np.float32([[0.002, 0.8]])).same_top == 0.0
    deaf = agreement(np.float32([[0.8, 0.001], [0.001, 0.8]]), np.zeros((2, 2), np.float32))
    assert (deaf.same_top, deaf.n_heard) == (0.5, 2)


def test_where_nothing_is_heard_there_is_no_share_and_no_refusal() -> None:
    result = agreement(np.float32([[0.02, 0.01]]), np.float32([[0.01, 0.02]]))
    assert math.isnan(result.same_top)
    require_agreement("g", "bf16", result)


def test_broken_scores_are_not_silence() -> None:
    broken = agreement(np.float32([[0.02, 0.01]]), np.float32([[0.01, float("nan")]]))
    assert broken.n_heard == 1
    with pytest.raises(OssicleError, match="leave fp16 out"):
        require_agreement("g", "fp16", broken)


def test_nothing_outside_the_margin_is_no_share() -> None:
    assert math.isnan(agreement(np.float32([[0.5, 0.5]]), np.float32([[0.5, 0.5]])).same_top_outside)
    with pytest.raises(ValueError, match="cannot be compared"):
        agreement(np.zeros((2, 2), np.float32), np.zeros((3, 2), np.float32))


@pytest.mark.parametrize(
    ("precision", "told", "words"),
    [
        ("fp32", Agreement(9, 2e-4, 1.0, 1.0, 9), "differ from torch's by up to 2.00e-04, more than 0.0001"),
        ("fp32", Agreement(9, float("nan"), 1.0, 1.0, 9), "differ from torch's"),
        ("fp32", Agreement(9, 1e-5, 1.0, 0.9, 9), "differ from torch's"),
        ("bf16", Agreement(90, 0.1, 0.98, 1.0, 9), "only 98.0 % of 9 frames .* less than 99 %; leave bf16 out"),
        ("fp16", Agreement(9, 0.1, 0.5, 1.0, 9), "leave fp16 out"),
    ],
)
def test_what_is_not_the_model_is_refused(precision: str, told: Agreement, words: str) -> None:
    with pytest.raises(OssicleError, match=f"g.onnx: .*{words}"):
        require_agreement("g.onnx", precision, told)


def test_what_is_allowed_passes() -> None:
    require_agreement("g", "fp32", Agreement(9, 1e-4, 0.9, float("nan"), 9))
    require_agreement("g", "bf16", Agreement(900, 0.3, 0.99, 0.99, 900))
    require_agreement("g", "int8", Agreement(9, 0.9, 0.1, 0.1, 9))


def test_a_budget_is_kept_or_not() -> None:
    # 120 s of sound in 2 s is 60 times real time: 40 h take 40 minutes, and 6 s to start.
    speed = Speed(audio_s=120.0, frames=24, seconds=2.0, start_s=6.0, threads=2)
    assert speed.real_time == 60
    assert speed.frames_per_s == 12
    assert speed.minutes_for(40) == pytest.approx(40.1)
    assert Budget(40.1, 40).allows(speed)
    assert not Budget(40.0, 40).allows(speed)


def test_a_network_that_cannot_be_exported_is_named_with_its_operator() -> None:

    class Odd(torch.nn.Module):
        def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
            return torch.special.i1(spectrogram)[..., :3]

    with pytest.raises(ArtefactError, match=r"odd_net cannot be exported .*the operator aten::special_i1 fails"):
        try_export(Odd(), PLAN, FRONT, "odd_net")


def test_a_network_that_changes_on_the_way_is_named() -> None:

    class Frozen(torch.nn.Module):
        """The exporter keeps the branch that it saw."""

        def forward(self, spectrogram: torch.Tensor) -> torch.Tensor:
            return spectrogram[..., :3] * (1.0 if float(spectrogram.mean()) == 0 else 0.01)

    with pytest.raises(ArtefactError, match=r"Frozen changes when it is exported to ONNX \(model.onnx: its scores"):
        try_export(Frozen(), PLAN, FRONT)


def test_a_trial_leaves_the_network_as_it_was() -> None:
    given = network().train()
    before = {name: value.clone() for name, value in given.state_dict().items()}
    try_export(given, PLAN, FRONT)
    assert given.training
    assert all((value == before[name]).all() for name, value in given.state_dict().items())
