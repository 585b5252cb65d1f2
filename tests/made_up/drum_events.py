"""A small manifest of drum hits with its recordings: a tone or noise for each hit, one recording for each session."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.audio.wav import write_wav

RATE = 16000
LABELS = ("kick", "snare", "hihat_closed")


def hit(label: str, rng: np.random.Generator) -> NDArray[np.float32]:
    """An eighth of a second: a low tone that falls, noise with a tone, or bright noise."""
    seconds = np.arange(RATE // 8) / RATE
    noise = rng.standard_normal(len(seconds))
    sounds: dict[str, Any] = {
        "kick": np.sin(2 * np.pi * np.cumsum(50 + 100 * np.exp(-seconds * 40)) / RATE),
        "snare": 0.5 * np.sin(2 * np.pi * rng.uniform(180, 220) * seconds) + 0.3 * noise,
    }
    sound = sounds.get(label, 0.3 * np.diff(noise, prepend=0.0))
    result: NDArray[np.float32] = (rng.uniform(0.2, 0.5) * np.exp(-seconds * 25) * sound).astype(np.float32)
    return result


def write_events(
    folder: Path,
    sessions: Sequence[str],
    hits: int = 6,
    sources: Sequence[str] = ("groove",),
    labels: Sequence[str] = LABELS,
) -> Path:
    """Write ``events.jsonl``, and ``audio/SOURCE/SESSION/mix.wav`` for each session, 0.4 s for each hit and 0.4 s more.

    Sessions take the sources in turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, session in enumerate(sessions):
        rng, source = np.random.default_rng(number), sources[number % len(sources)]
        samples = (0.002 * rng.standard_normal(round(0.4 * (hits + 1) * RATE))).astype(np.float32)
        for k in range(hits):
            label, onset_s = labels[(k + number) % len(labels)], round(0.2 + 0.4 * k, 3)
            sound, start = hit(LABELS[(k + number) % len(LABELS)], rng), round(onset_s * RATE)
            samples[start : start + len(sound)] += sound
            lines.append(event(session, source, onset_s, label, k, number))
        place = folder / "audio" / source / session / "mix.wav"
        place.parent.mkdir(parents=True, exist_ok=True)
        write_wav(place, samples, RATE)
    (folder / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder / "events.jsonl"


def event(session: str, source: str, onset_s: float, label: str, k: int, number: int) -> dict[str, Any]:
    """One line of a manifest."""
    return {
        "event_id": f"{session}-{k}",
        "session_id": session,
        "source_set": source,
        "is_synthetic": False,
        "audio_path": f"{session}/mix.wav",
        "midi_path": f"{session}/drums.mid",
        "onset_time": onset_s,
        "offset_time": None,
        "tempo_bpm": 120.0,
        "meter": "4/4",
        "components": [{"label": label, "velocity": 0.7, "dynamic_bucket": "medium"}],
        "techniques": [],
        "context_ms": {"pre": 80.0, "post": 200.0},
        "metadata_ref": f"provenance:{session}",
        "negative_example": False,
        "kit_id": f"kit{number % 3}",
        "drummer_id": f"drummer{number % 2}",
    }
