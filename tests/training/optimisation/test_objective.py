"""What a training makes small, by whether its labels say where something is."""

import torch
from torch import Tensor, nn

from ossicle.models.losses import detection_loss
from ossicle.models.networks.attention import Heard
from ossicle.training.optimisation.objective import said_of
from ossicle.training.settings import TrainingSettings


class Ears(nn.Module):
    """Says the same of every clip and place whatever it hears."""

    def __init__(self, clip: Tensor, places: Tensor) -> None:
        super().__init__()
        self.found = Heard(clip, places)

    def heard(self, spectrogram: Tensor) -> Heard:
        return self.found

    def forward(self, spectrogram: Tensor) -> Tensor:
        return self.found.places


def test_weak_labels_judge_the_clip_and_its_best_place() -> None:
    torch.manual_seed(0)
    clip, places = torch.randn(2, 3), torch.randn(2, 4, 3)
    targets, mask = torch.zeros(2, 4, 3), torch.ones(2, 4, 3)
    targets[0, 2, 1] = 1.0
    mask[1, :, 2] = 0.0
    wanted, known = torch.zeros(2, 3), torch.ones(2, 3)
    wanted[0, 1] = 1.0
    known[1, 2] = 0.0
    nothing = torch.zeros(0)
    for share in (0.0, 0.25, 1.0):
        settings = TrainingSettings(weak=True, place_weight=share)
        result = said_of(Ears(clip, places), nothing, targets, mask, weak=True).loss(settings)
        expected = (1 - share) * detection_loss(clip, wanted, known)
        expected += share * detection_loss(places.amax(dim=1), wanted, known)
        torch.testing.assert_close(result, expected)
    strong = said_of(Ears(clip, places), nothing, targets, mask, weak=False).loss(TrainingSettings(place_weight=0.5))
    torch.testing.assert_close(strong, detection_loss(places, targets, mask))


def test_windows_of_a_chunk_are_clips_of_their_own() -> None:
    torch.manual_seed(1)
    clip, places = torch.randn(6, 2), torch.randn(6, 5, 2)
    targets, mask = torch.rand(2, 3, 2).round(), torch.ones(2, 3, 2)
    result = said_of(Ears(clip, places), torch.zeros(0), targets, mask, weak=True).loss(TrainingSettings(loss="focal"))
    torch.testing.assert_close(result, detection_loss(clip, targets.reshape(6, 2), mask.reshape(6, 2), "focal"))


def test_the_error_is_of_what_is_judged() -> None:
    clip, places = torch.zeros(2, 1), torch.full((2, 3, 1), 9.0)
    targets, mask = torch.ones(2, 3, 1), torch.ones(2, 3, 1)
    mask[1] = 0.0
    result = said_of(Ears(clip, places), torch.zeros(0), targets, mask, weak=True)
    assert float(result.error()) == 0.5
    assert float(said_of(Ears(clip, places), torch.zeros(0), targets, mask, weak=False).error()) < 1e-3


def test_a_network_is_run_once_for_loss_and_error() -> None:
    calls = []

    class Counted(nn.Module):
        def forward(self, spectrogram: Tensor) -> Tensor:
            calls.append(1)
            return spectrogram

    result = said_of(Counted(), torch.zeros(1, 2, 1), torch.zeros(1, 2, 1), torch.ones(1, 2, 1), weak=True)
    result.loss(TrainingSettings())
    result.error()
    assert len(calls) == 1


def test_a_network_of_one_label_of_all_is_judged_by_cross_entropy_and_its_softmax() -> None:
    torch.manual_seed(2)
    clip, places = torch.randn(3, 4), torch.randn(3, 5, 4)
    ears = Ears(clip, places)
    ears.scores = "softmax"  # type: ignore[assignment]
    targets, weights = torch.eye(4)[:3, None].repeat(1, 5, 1), torch.tensor([1.0, 2.0, 3.0, 4.0])
    result = said_of(ears, torch.zeros(0), targets, torch.ones(3, 5, 4), weak=True)
    rows = torch.nn.functional.cross_entropy(clip, torch.arange(3), reduction="none")
    torch.testing.assert_close(result.loss(TrainingSettings(), weights), (rows * weights[:3]).mean())
    # Accumulated batches are divided by what each loss is a mean over: clips, not their labels.
    assert float(result.n_known()) == 3
    best = torch.nn.functional.cross_entropy(places.amax(dim=1), torch.arange(3))
    halved = result.loss(TrainingSettings(place_weight=0.5))
    torch.testing.assert_close(halved, (rows.mean() + best) / 2)
    torch.testing.assert_close(result.error(), (torch.softmax(clip, dim=1) - torch.eye(4)[:3]).abs().mean())
    frames = said_of(ears, torch.zeros(0), targets, torch.ones(3, 5, 4), weak=False)
    wanted = torch.arange(3)[:, None].expand(-1, 5).flatten()
    expected = torch.nn.functional.cross_entropy(places.flatten(0, 1), wanted)
    torch.testing.assert_close(frames.loss(TrainingSettings()), expected)
