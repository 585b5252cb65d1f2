"""The estimate of a vocoder's training is a time, and grows with the share of steps that discriminators judge."""

from dataclasses import replace

import torch

from ossicle.models.vocoder.settings import VocoderNetworkSettings
from ossicle.training.vocoder import step_time
from ossicle.training.vocoder.settings import VocoderSettings
from ossicle.training.vocoder.step_time import vocoder_step_seconds

TINY = VocoderSettings(
    preset="small",
    epochs=4,
    warmup_epochs=4,
    batch=2,
    crop_s=0.1,
    network=VocoderNetworkSettings(
        width=8, unit_blocks=1, frame_blocks=1, period_channels=(2,), scale_channels=(2,), periods=(2,), scales=1
    ),
)


def test_a_step_takes_time_and_leaves_threads_and_draws_alone() -> None:
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    assert vocoder_step_seconds(TINY, k=5, rate=8000) > 0
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_steps_are_weighted_by_how_many_there_are(monkeypatch) -> None:
    # Of the two kinds of steps, one takes 1 s and the other 3 s.
    times = {"_generator": 1.0, "judged": 3.0}
    monkeypatch.setattr(step_time, "_seconds", lambda step, *rest: times.get(step.__name__, 1.0))
    assert vocoder_step_seconds(TINY, k=5, rate=8000) == 1.0
    assert vocoder_step_seconds(replace(TINY, warmup_epochs=3), k=5, rate=8000) == 0.75 * 1 + 0.25 * 3
    assert vocoder_step_seconds(replace(TINY, warmup_epochs=0), k=5, rate=8000) == 3.0
    assert vocoder_step_seconds(replace(TINY, batch=32, warmup_epochs=0), k=5, rate=8000) == 2 * 3.0
