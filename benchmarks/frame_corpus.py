"""Made-up frames of speech in memory and in feature shards, and their clustering without torch and scikit-learn."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from ossicle.artefacts.features.shard import ShardWriter
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.core.model_input.encoder_spec import EncoderSpec
from ossicle.training.quantiser.blas_threads import one_blas_thread
from ossicle.units.frames import SegmentFrames
from ossicle.units.kmeans.settings import QuantiserSettings
from ossicle.units.quantiser_training import train_quantiser

K, SEGMENT, SHARD = 100, 850, 15_000


def drawn(n: int, dim: int, seed: int = 0) -> np.ndarray:
    """Frames of every dimension with mean 0 and about the same scale, in 100 clusters that overlap."""
    centres = np.random.default_rng(5).standard_normal((K, dim)).astype(np.float32)
    draw = np.random.default_rng((seed, dim))
    frames: np.ndarray = 0.6 * centres[draw.integers(K, size=n)] + draw.standard_normal((n, dim), dtype=np.float32)
    return frames


def settings(normalisation: str) -> QuantiserSettings:
    return QuantiserSettings(k=K, normalisation=normalisation, held_out=0.0)


def spec(dim: int) -> EncoderSpec:
    return EncoderSpec("mfcc", rate=16000, dim=dim, hop_s=0.02, origin_s=0.0125)


def write_corpus(folder: Path, n: int, dim: int) -> None:
    """Feature shards of segments of 17 s."""
    own, names = FeaturesFolder(folder), []
    for number, first in enumerate(range(0, n, SHARD)):
        names.append(f"shard-{number:04d}")
        frames = drawn(min(SHARD, n - first), dim, seed=number)
        with ShardWriter(own.shards, names[-1], 1, dim) as writer:
            for start in range(0, len(frames), SEGMENT):
                part = frames[start : start + SEGMENT]
                writer.append([part[:, None]], np.zeros(len(part), np.float32))
                writer.end_recording(f"{number}#{start:05d}")
            writer.finish({})
    own.write_frames_summary(spec(dim), names)


def cluster(folder: str, threads: int) -> dict[str, Any]:
    """Cluster a corpus in shards, then assign a unit to each of its frames; runs in a process of its own."""
    features = FeaturesFolder(Path(folder))
    frames = SegmentFrames.of_shards(features, {})
    with one_blas_thread():
        quantiser = train_quantiser(frames, settings("group"), features.spec, 0.02, 0.0125, threads=threads)
    trained_s = time.process_time()
    counts = np.zeros(K, np.int64)
    for _, values, _ in features.frames():
        counts += np.bincount(quantiser.assign(values), minlength=K)
    assert quantiser.fit is not None
    return {
        "frames": int(counts.sum()),
        "passes": quantiser.fit.passes,
        "inertia": quantiser.fit.inertia,
        "digest": quantiser.digest,
        "encode_cpu_s": time.process_time() - trained_s,
    }
