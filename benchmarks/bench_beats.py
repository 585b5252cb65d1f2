"""BEATs: a checkpoint of the published size, 300 windows encoded once, and heads trained from the kept embeddings.

The checkpoint is random, of the published names and shapes (361 MB), because the published file cannot be assumed.
Its embeddings therefore tell little, and no accuracy is reported: what is measured is that training calls the encoder
no second time, how long it takes, and the size of a bundle without the encoder. The recordings are eight of noise.
Training runs on one thread, so its processor time is its duration on a quiet machine; that is what is limited.
"""

import argparse
import resource
import runpy
import time
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from commands import ossicle, share_process
from machine import RESULTS, described, table, write_result
from smoke import parsed, require

from ossicle.bundle.manifest import MANIFEST
from ossicle.models.encoders.beats.encoder import BeatsEncoder

GOLDEN = Path(__file__).parents[1] / "tests" / "golden" / "make_beats.py"
PUBLISHED = {
    "embed_dim": 512, "encoder_layers": 12, "encoder_embed_dim": 768, "encoder_ffn_embed_dim": 3072,
    "encoder_attention_heads": 12,
}  # fmt: skip
MOST_TRAINING_S, MOST_BUNDLE_MB, RATE, WINDOW_S = 30.0, 5.0, 16000, 2.0
RECORDINGS = [
    f"ac-{ac}-fridge-{fridge}-{part}" for ac in ("on", "off") for fridge in ("on", "off") for part in ("day", "night")
]


def write_checkpoint(path: Path, sizes: dict[str, int]) -> None:
    """Write random weights under the published names."""
    drawn: dict[str, Any] = runpy.run_path(str(GOLDEN))
    config = drawn["CONFIG"] | sizes
    weights = {name: torch.from_numpy(array) for name, array in drawn["draw_checkpoint"](config).items()}
    # One tensor under the names of all layers, as in the published file, is written once.
    shared = next(weight for name, weight in weights.items() if "relative_attention_bias" in name)
    torch.save(
        {
            "cfg": config,
            "model": {name: shared if "relative_attention" in name else weight for name, weight in weights.items()},
        },
        path,
    )


def write_recordings(folder: Path, windows: int) -> None:
    """Write eight recordings of noise, with a tone for each label, that hold ``windows`` windows together."""
    folder.mkdir()
    seconds = WINDOW_S * windows / len(RECORDINGS)
    time_s = np.arange(round(seconds * RATE)) / RATE
    for number, name in enumerate(RECORDINGS):
        sound = 0.02 * np.random.default_rng(number).standard_normal(len(time_s))
        sound += 0.1 * np.sin(2 * np.pi * 120 * time_s) * ("ac-on" in name)
        sound += 0.1 * np.sin(2 * np.pi * 900 * time_s) * ("fridge-on" in name)
        soundfile.write(folder / f"{name}.wav", sound, RATE)


class Calls:
    """Counts the windows that :class:`BeatsEncoder` encodes in this process."""

    def __init__(self) -> None:
        self.windows = 0
        encode = BeatsEncoder.encode

        def counted(encoder: BeatsEncoder, waveforms: np.ndarray) -> np.ndarray:
            self.windows += len(waveforms)
            return encode(encoder, waveforms)

        BeatsEncoder.encode = counted  # type: ignore[method-assign]


def timed(*words: object) -> tuple[float, float]:
    """Run a command; return its seconds, and those of the processor."""
    wall, cpu = time.perf_counter(), time.process_time()
    ossicle(*words)
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--windows", type=int, default=304)
    parser.add_argument("--work", type=Path, default=Path("build/beats"))
    parser.add_argument("--out", type=Path, default=RESULTS)
    args = parsed(parser, windows=64)
    # All in this process: the calls of the encoder are counted here.
    share_process()
    args.work.mkdir(parents=True, exist_ok=True)
    checkpoint, audio, project = args.work / "beats.pt", args.work / "audio", args.work / "project"
    sizes = {} if args.smoke else PUBLISHED
    write_checkpoint(checkpoint, sizes)
    if not audio.exists():
        write_recordings(audio, args.windows)
    ossicle(
        "new",
        "appliances",
        project,
        "--audio",
        audio,
        "--template",
        "ac-{ac:on|off}-fridge-{fridge:on|off}-{daypart:day|night}",
    )
    sets = [
        "encoder.name=beats", f"encoder.path={checkpoint.absolute()}", f"features.hop_s={WINDOW_S:g}",
        "project.workers=1", "head.pooling=attention", "dataset.drop_loudest=0", "evaluation.bootstrap=100",
    ]  # fmt: skip
    options = [word for override in sets for word in ("--set", override)]
    calls = Calls()
    features = timed("run", "-p", project, "--until", "features", *options)
    encoded = calls.windows
    heads = timed("run", "-p", project, "--until", "heads", *options)
    timed("run", "-p", project, "--until", "state_evaluation", *options)
    require(
        calls.windows == encoded, f"no second call of the encoder ({calls.windows - encoded} windows after features)"
    )
    judged = calls.windows
    # The noise gate plays sounds of its own to the models.
    timed("run", "-p", project, *options)
    bundles = [path.parent for path in project.rglob(MANIFEST)]
    require(bool(bundles), "the run left a bundle")
    size_mb = max(sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file()) for bundle in bundles) / 1e6
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    if not args.smoke:
        require(heads[1] <= MOST_TRAINING_S, f"{MOST_TRAINING_S:g} s of training at most ({heads[1]:.1f} s)")
    require(size_mb <= MOST_BUNDLE_MB, f"a bundle of at most {MOST_BUNDLE_MB:g} MB ({size_mb:.1f} MB)")
    rows = [
        ["checkpoint, MB", f"{checkpoint.stat().st_size / 1e6:.0f}"],
        ["windows of 2 s encoded once, with the probe of a shard", str(encoded)],
        ["encoding, s (of the processor)", f"{features[0]:.1f} ({features[1]:.1f})"],
        [
            "training of all heads (two folds, final), attention over 96 tokens, s (of the processor)",
            f"{heads[0]:.1f} ({heads[1]:.1f})",
        ],
        ["windows encoded after that, up to the figures", str(judged - encoded)],
        ["windows of noise encoded for the noise gate", str(calls.windows - judged)],
        ["bundle without the encoder, MB", f"{size_mb:.2f}"],
        ["largest memory of the process, MB", f"{memory_mb:.0f}"],
    ]
    text = f"# BEATs of the published size\n\n{described(('torch',))}\n\n{table(['what', 'figure'], rows)}\n"
    write_result("beats", text, args.out)


if __name__ == "__main__":
    main()
