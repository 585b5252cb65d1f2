"""Frames of made-up speakers: clusters that each speaker shifts and stretches."""

from pathlib import Path

import numpy as np

from ossicle.artefacts.features.shard import ShardWriter
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.core.model_input.encoder_spec import EncoderSpec

SPEC = EncoderSpec("mfcc", rate=16000, dim=4, hop_s=0.02, origin_s=0.0125)


def spoken(n_segments: int = 24, dim: int = 4, seed: int = 0, longest: int = 60) -> dict[str, np.ndarray]:
    """Frames by segment, float16: segment i is of recording i // 2 and has from 0 to ``longest`` frames."""
    random = np.random.default_rng(seed)
    centres = random.standard_normal((6, dim)) * 4
    result = {}
    for number in range(n_segments):
        length = int(random.integers(0, longest + 1))
        speaker = number % 3
        frames = centres[random.integers(6, size=length)] + random.standard_normal((length, dim)) * 0.5
        result[f"r{number // 2:02d}#{number % 2:04d}"] = (frames * (1 + speaker / 2) + speaker).astype(np.float16)
    return result


def groups(ids: tuple[str, ...] | dict[str, np.ndarray]) -> dict[str, str]:
    """Three speakers in turn."""
    return {one: f"s{number % 3}" for number, one in enumerate(ids)}


def shards(folder: Path, frames: dict[str, np.ndarray], sizes: list[int]) -> FeaturesFolder:
    """Write frames to shards of so many segments each, as the step ``features`` does."""
    own, names, left = FeaturesFolder(folder), [], list(frames.items())
    for number, size in enumerate(sizes):
        names.append(f"shard-{number:04d}")
        part, left = left[:size], left[size:]
        with ShardWriter(own.shards, names[-1], 1, SPEC.dim) as writer:
            for key, values in part:
                writer.append([values[:, None].astype(np.float32)], np.zeros(len(values), np.float32))
                writer.end_recording(key)
            writer.finish({})
    own.write_frames_summary(SPEC, names)
    return FeaturesFolder(folder)
