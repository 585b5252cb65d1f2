"""What a training makes small, by whether its labels say where something is."""

import torch
from torch import Tensor, nn

from ossicle.models.attention import Heard
from ossicle.models.losses import detection_loss
from ossicle.training.objective import objective
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
        found = objective(Ears(clip, places), nothing, targets, mask, settings)
        expected = (1 - share) * detection_loss(clip, wanted, known)
        expected += share * detection_loss(places.amax(dim=1), wanted, known)
        torch.testing.assert_close(found, expected)
    strong = objective(Ears(clip, places), nothing, targets, mask, TrainingSettings(place_weight=0.5))
    torch.testing.assert_close(strong, detection_loss(places, targets, mask))


def test_windows_of_a_chunk_are_clips_of_their_own() -> None:
    torch.manual_seed(1)
    clip, places = torch.randn(6, 2), torch.randn(6, 5, 2)
    targets, mask = torch.rand(2, 3, 2).round(), torch.ones(2, 3, 2)
    found = objective(Ears(clip, places), torch.zeros(0), targets, mask, TrainingSettings(weak=True, loss="focal"))
    torch.testing.assert_close(found, detection_loss(clip, targets.reshape(6, 2), mask.reshape(6, 2), "focal"))
