from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ossicle.artefacts.typed.units.vocoder import VocoderFolder
from ossicle.core.errors import AudioError, OssicleError
from ossicle.models.vocoder.vocoder import Vocoder
from ossicle.training.vocoder import run as run_module
from ossicle.training.vocoder.fit import train_vocoder
from ossicle.training.vocoder.objective import Objective
from ossicle.training.vocoder.segments import SpeechSegment
from ossicle.training.vocoder.settings import VocoderSettings

from .made_up_speech import HOP, corpus, tiny_settings


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def log_mels(monkeypatch: pytest.MonkeyPatch, values: list[float]) -> None:
    """Let the choosing group give these distances: at the start, and after each epoch."""
    left = iter(values)
    monkeypatch.setattr(run_module, "held_out_distance", lambda *given: next(left))


def test_a_vocoder_is_trained_and_better_than_its_start(tmp_path: Path) -> None:
    steps, lines = [], []
    fit = train_vocoder(
        corpus(),
        tiny_settings(epochs=8, draws=16, save_every=3, keep=1),
        tmp_path,
        advance=lambda done, most: steps.append((done, most)),
        log=lines.append,
    )
    assert fit.log_mel < fit.start_log_mel - 1
    assert (steps[0], steps[-1]) == ((0, 64), (64, 64))
    assert len(lines) == 8
    place = VocoderFolder(tmp_path)
    assert [one["epoch"] for one in place.epochs()] == list(range(1, 9))
    assert "adversarial" not in place.epochs()[0]
    assert place.kept_epochs() == [6]
    assert not place.state_file.exists()
    names = sorted(path.name for path in place.epoch(6).path.iterdir())
    assert names == ["sample_0_made.wav", "sample_0_recorded.wav", "vocoder.json", "vocoder.safetensors"]
    result = Vocoder.read(tmp_path)
    assert result.about.items() > fit.to_json().items()
    assert result.spec.speakers == ("a", "b")
    held_out = corpus().choosing[0]
    for vocoder in (result, Vocoder.read(place.start.path), Vocoder.read(place.final.path)):
        sound = vocoder.synthesise(held_out.units, held_out.f0_hz)
        assert sound.shape == (len(held_out.units) * HOP,)


def test_the_best_epoch_is_that_of_the_choosing_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of the lowest training loss, and not the last; epochs that only reconstruct give way to others."""
    log_mels(monkeypatch, [9.0, 3.0, 6.0, 5.0, 5.5, 7.0])
    weights = {}
    epoch = run_module.VocoderRun.epoch

    def kept(self: Any, stepped: Any) -> None:
        epoch(self, stepped)
        weights[self.progress.epoch] = self._averaged().state_dict()

    monkeypatch.setattr(run_module.VocoderRun, "epoch", kept)
    fit = train_vocoder(corpus(), tiny_settings(epochs=5), tmp_path)
    assert (fit.best_epoch, fit.log_mel, fit.start_log_mel, fit.stopped) == (3, 5.0, 9.0, "epochs")
    result = Vocoder.read(tmp_path)._network.state_dict()
    assert all(torch.equal(value, weights[3][key]) for key, value in result.items())
    assert any(not torch.equal(value, weights[5][key]) for key, value in result.items())


def test_patience_counts_epochs_without_min_delta(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log_mels(monkeypatch, [9.0, 8.0, 7.0, 6.99, 6.98, 5.0, 1.0])
    fit = train_vocoder(corpus(), tiny_settings(epochs=6, patience=2, min_delta=0.1, warmup_epochs=1), tmp_path)
    # 6.98 is best, though too little better to wait for more.
    assert (fit.epochs, fit.best_epoch, fit.log_mel, fit.stopped) == (4, 4, 6.98, "patience")


def test_learning_rates_are_separate_and_fall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[tuple[float, float]] = []
    step, steps = Objective.generator_step, {"discriminator": 0}
    judge = Objective.discriminator_step

    def generator_step(self: Objective, crops: Any, optimiser: Any, adversarial: bool) -> Any:
        rates.append((optimiser.param_groups[0]["lr"], adversarial))
        return step(self, crops, optimiser, adversarial)

    def discriminator_step(self: Objective, crops: Any, optimiser: Any) -> Any:
        steps["discriminator"] += 1
        assert optimiser.param_groups[0]["lr"] == pytest.approx(5e-3 * 0.5 ** (len(rates) // 2))
        return judge(self, crops, optimiser)

    monkeypatch.setattr(Objective, "generator_step", generator_step)
    monkeypatch.setattr(Objective, "discriminator_step", discriminator_step)
    train_vocoder(
        corpus(),
        tiny_settings(learning_rate_decay=0.5, discriminator_learning_rate=5e-3, discriminator_steps=3),
        tmp_path,
    )
    assert [rate[0] for rate in rates] == pytest.approx([1e-2, 1e-2, 5e-3, 5e-3, 2.5e-3, 2.5e-3])
    assert [rate[1] for rate in rates] == [False, False, True, True, True, True]
    assert steps["discriminator"] == 3 * 4


def collapsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plant a generator that learns nothing, against discriminators that win."""

    def generator_step(self: Objective, crops: Any, optimiser: Any, adversarial: bool) -> Any:
        return {"mel": 9.0, "stft": 1.0, **({"adversarial": 0.97, "feature": 0.5} if adversarial else {})}

    monkeypatch.setattr(Objective, "generator_step", generator_step)


def test_a_planted_collapse_stops_with_advice_and_its_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    collapsed(monkeypatch)
    settings = tiny_settings(epochs=12, draws=8, collapse_epochs=3, discriminator_learning_rate=0.05)
    result: list[str] = []
    with pytest.raises(OssicleError, match=r"discriminators won.*discriminator_learning_rate = 0\.0125") as stop:
        train_vocoder(corpus(), settings, tmp_path, log=result.append)
    assert stop.value.exit_code == 1
    assert any("the discriminators won" in line for line in result)
    assert VocoderFolder(tmp_path).state_file.exists()
    done = len(VocoderFolder(tmp_path).epochs())
    # It does not go on by itself; asked for advice only, it ends, and the advice stays in the figures.
    with pytest.raises(OssicleError, match="on_collapse"):
        train_vocoder(corpus(), settings, tmp_path)
    assert len(VocoderFolder(tmp_path).epochs()) == done
    advised = tiny_settings(
        epochs=12, draws=8, collapse_epochs=3, discriminator_learning_rate=0.05, on_collapse="advise"
    )
    fit = train_vocoder(corpus(), advised, tmp_path)
    assert fit.epochs == 12
    assert fit.advice[0].startswith(f"epoch {done}: the discriminators won")


def test_too_little_memory_leaves_a_state_and_says_what_to_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step, calls = Objective._generator_terms, {"left": 3}

    def terms(self: Objective, crops: Any, adversarial: bool) -> Any:
        calls["left"] -= 1
        if calls["left"] < 0 and len(crops) > 1:
            raise torch.OutOfMemoryError("out of memory")
        return step(self, crops, adversarial)

    monkeypatch.setattr(Objective, "_generator_terms", terms)
    with pytest.raises(
        OssicleError,
        match=r"epoch 2 with batches of 2 crops.*--auto-batch\) to resume from the state saved last.*batch = 1",
    ) as stop:
        train_vocoder(corpus(), tiny_settings(), tmp_path)
    assert stop.value.exit_code == 1
    assert len(VocoderFolder(tmp_path).epochs()) == 1
    fit = train_vocoder(corpus(), tiny_settings(auto_batch=True), tmp_path)
    assert fit.epochs == 3


def test_too_little_memory_beside_the_steps_is_named_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distance, calls = run_module.held_out_distance, {"left": 2}

    def limited(*given: Any) -> float:
        calls["left"] -= 1
        if not calls["left"] + 1:
            torch.empty(1 << 58)
        return distance(*given)

    monkeypatch.setattr(run_module, "held_out_distance", limited)
    with pytest.raises(
        OssicleError, match=r"out of memory in epoch 2, beside the steps: .*resume from the state saved last"
    ):
        train_vocoder(corpus(), tiny_settings(), tmp_path)
    assert train_vocoder(corpus(), tiny_settings(), tmp_path).epochs == 3


def test_a_segment_that_cannot_be_read_ends_the_training_loudly(tmp_path: Path) -> None:
    whole = corpus()

    def unreadable() -> np.ndarray:
        raise AudioError("tape.wav: cannot be read")

    bad = [
        SpeechSegment(
            speech_segment.segment_id, speech_segment.group, speech_segment.units, unreadable, speech_segment.f0_hz
        )
        for speech_segment in whole.training
    ]
    with pytest.raises(AudioError, match=r"tape\.wav"):
        train_vocoder(corpus(training=bad), tiny_settings(), tmp_path)


def test_without_pitch_and_speakers_and_by_recordings_of_known_speakers(tmp_path: Path) -> None:
    plain = tiny_settings(pitch=False, speakers=False, epochs=2)
    train_vocoder(corpus(), plain, tmp_path / "plain")
    assert Vocoder.read(tmp_path / "plain").spec.speakers == ()
    whole = corpus()
    known = [
        SpeechSegment(
            speech_segment.segment_id, "tape 9", speech_segment.units, speech_segment.audio, speech_segment.f0_hz, "a"
        )
        for speech_segment in whole.choosing
    ]
    seen: list[int] = []
    read = run_module.held_out_batches

    def batches(*given: Any) -> Any:
        result = read(*given)
        seen.extend(draw.speaker for batch in result for draw in batch)
        return result

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_module, "held_out_batches", batches)
        train_vocoder(corpus(choosing=known), tiny_settings(epochs=2), tmp_path / "known")
    assert set(seen) == {0}


@pytest.mark.slow
def test_one_step_of_the_full_preset(tmp_path: Path) -> None:
    """Networks, losses and shapes of the full preset on the CPU: one step with discriminators."""
    fit = train_vocoder(
        corpus(rate=16000, hop_s=HOP / 16000, origin_s=0.0125 / 2),
        VocoderSettings(preset="full", epochs=1, draws=2, batch=2, warmup_epochs=0, save_every=1, samples=0),
        tmp_path,
    )
    assert 10e6 < fit.parameters["generator"] < 20e6
    assert 60e6 < fit.parameters["discriminators"] < 90e6
    (line,) = VocoderFolder(tmp_path).epochs()
    for name in ("mel", "stft", "adversarial", "feature", "discriminator"):
        assert 0 < line[name] < 100, name
    sound = Vocoder.read(tmp_path).synthesise(np.arange(4), np.full(4, 100.0))
    assert sound.shape == (4 * HOP,)
