"""What augmentation costs on one thread: each stage alone, the chain as a whole, beside front end and training step.

A batch of 32 clips of 5 s at 32 kHz, every stage on all of them. Stages take turns; the figure is the median of the
processor's time, which other work on the machine moves less than the clock's.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median

import torch
from machine import RESULTS, described, table, write_result
from smoke import parsed

from ossicle.artefacts.processes.workers import keep_freed_memory
from ossicle.core.model_input.chunks import framing, window_plan
from ossicle.core.model_input.frontend import FrontEndSettings
from ossicle.models.augmentation.settings import EarlySettings, MixupSettings, SpectralSettings
from ossicle.models.augmentation.sounds import Sounds
from ossicle.models.augmentation.spectral import vary_log_mel
from ossicle.models.augmentation.stages import vary_waveforms
from ossicle.models.augmentation.stretch import vary_stretch
from ossicle.models.frontend import ChunkLogMel, LogMel
from ossicle.models.losses import detection_loss
from ossicle.models.networks.windows import WindowNetwork
from ossicle.models.settings import AugmentSettings, ModelSettings, WindowSettings

FRONT = FrontEndSettings(rate=32000, n_fft=2048, hop_samples=512, n_mels=128, fmin_hz=20.0, fmax_hz=16000.0)
PLAN = window_plan(FRONT, 5.0, 5.0, 5.0, exact=True)
N_LABELS = 10
OFF = AugmentSettings(
    gain_probability=0.0, background_probability=0.0, tilt_probability=0.0,
    spectral=SpectralSettings(frequency_mask_probability=0.0, time_mask_probability=0.0),
)  # fmt: skip
MASKS = {"frequency_mask": 0.08, "time_mask_s": 0.32}
STAGES = {
    "gain": replace(OFF, gain_probability=1.0),
    "polarity": replace(OFF, early=EarlySettings(polarity_probability=1.0)),
    "shift": replace(OFF, early=EarlySettings(shift_probability=1.0)),
    "steady noise at a ratio": replace(OFF, early=EarlySettings(hiss_probability=1.0)),
    "mixup, Beta(0.4, 0.4)": replace(OFF, mixup=MixupSettings(probability=1.0, alpha=0.4)),
    "mixup by pressure": replace(OFF, mixup=MixupSettings(probability=1.0, alpha=1.0, balance="pressure")),
    "background by share": replace(OFF, background_probability=1.0, background_by="share"),
    "normalise, before and after": replace(OFF, normalise="both"),
    "filter": replace(OFF, spectral=replace(OFF.spectral, filter_probability=1.0)),
}
SPECTRAL = {
    "pitch": replace(OFF, pitch_low=0.8, pitch_high=1.2),
    "contrast": replace(OFF, spectral=replace(OFF.spectral, power_probability=1.0)),
    "treble": replace(OFF, spectral=replace(OFF.spectral, treble_probability=1.0)),
    "equaliser": replace(OFF, tilt_probability=1.0),
    "masks, 3 and 3": replace(OFF, spectral=SpectralSettings(frequency_masks=3, time_masks=3), **MASKS),
}
BIRDS = AugmentSettings(
    mixup=MixupSettings(probability=0.5), background_by="share", normalise="both", tilt_db=0.0, **MASKS,
    spectral=SpectralSettings(
        filter_probability=0.5, frequency_masks=3, frequency_mask_probability=0.3, time_masks=3,
        time_mask_probability=0.3,
    ),
)  # fmt: skip
EVERYTHING = replace(
    BIRDS, tilt_db=6.0, pitch_low=0.8, pitch_high=1.2, background_probability=1.0,
    early=EarlySettings(shift_probability=1.0, polarity_probability=1.0, hiss_probability=1.0),
    mixup=MixupSettings(probability=1.0, alpha=1.0, balance="pressure"),
    spectral=SpectralSettings(
        filter_probability=1.0, power_probability=1.0, treble_probability=1.0, frequency_masks=3, time_masks=3
    ),
)  # fmt: skip


def measured(rounds: int, batch: int) -> dict[str, list[float]]:
    """Seconds by name."""
    keep_freed_memory()
    torch.set_num_threads(1)
    drawn = torch.Generator().manual_seed(0)
    waveforms = 0.1 * torch.randn(batch, PLAN.chunk_samples, generator=drawn)
    targets = torch.zeros(batch, PLAN.chunk_frames, N_LABELS)
    targets[batch // 4 :, :, 0] = 1.0
    sounds = Sounds(waveforms, targets, torch.ones_like(targets))
    front_end = ChunkLogMel(LogMel(FRONT), PLAN, FRONT)
    shared = framing(PLAN, FRONT).shared
    rows = front_end(waveforms)

    def spectral(rows: torch.Tensor, sounds: Sounds, settings: AugmentSettings) -> torch.Tensor:
        stretched = vary_stretch(rows, sounds.targets, sounds.mask, settings, FRONT, shared, drawn)
        return vary_log_mel(stretched[0], settings, FRONT.hop_samples / FRONT.rate, drawn)

    def chain(settings: AugmentSettings) -> torch.Tensor:
        varied = vary_waveforms(sounds, settings, PLAN, drawn)
        return spectral(rows, varied, settings)

    work: dict[str, Callable[[], object]] = {
        **{name: (lambda s=s: vary_waveforms(sounds, s, PLAN, drawn)) for name, s in STAGES.items()},
        **{name: (lambda s=s: spectral(rows, sounds, s)) for name, s in SPECTRAL.items()},
        "**the defaults**": lambda: chain(AugmentSettings()),
        "**the birds' settings**": lambda: chain(BIRDS),
        "**every stage on every clip**": lambda: chain(EVERYTHING),
        "front end (log-mel), for comparison": lambda: front_end(waveforms),
    }
    seconds: dict[str, list[float]] = {name: [] for name in work}
    with torch.no_grad():
        for round_number in range(rounds + 1):
            for name, call in work.items():
                began = time.process_time()
                call()
                if round_number:  # the first round warms up
                    seconds[name].append(time.process_time() - began)
    seconds["training step of ResNet-18 (max_pool = true), for comparison"] = training_step(rows, targets)
    return seconds


def training_step(rows: torch.Tensor, targets: torch.Tensor) -> list[float]:
    """Two steps after a first one, forward and backward, without optimiser."""
    torch.manual_seed(0)
    window = ModelSettings(name="window", window=WindowSettings(max_pool=True)).window
    network = WindowNetwork(window, framing(PLAN, FRONT), FRONT.n_mels, N_LABELS)
    seconds = []
    for _ in range(3):
        began = time.process_time()
        detection_loss(network(rows), targets, torch.ones_like(targets)).backward()
        seconds.append(time.process_time() - began)
    return seconds[1:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, rounds=1, batch=2)
    about = described(("torch", "timm"))
    rows = [
        (name, f"{1000 * median(seconds):.0f}", f"{1000 * min(seconds):.0f} to {1000 * max(seconds):.0f}")
        for name, seconds in measured(args.rounds, args.batch).items()
    ]
    text = (
        f"# Augmentation: {date.today().isoformat()}\n\n{about}\n\nOne thread; a batch of {args.batch} clips of 5 s "
        f"at 32 kHz, each stage on all of them; the processor's time, median of {args.rounds} rounds.\n\n"
    )
    write_result("augment", text + table(("stage", "ms a batch", "range"), rows), args.out)


if __name__ == "__main__":
    main()
