"""Write a synthetic manifest of drum hits, of any size, with the fields and proportions of a real collection.

Four sources, of which one is synthetic and holds five of six events; a session is one recording, played on one of the
kits. Hits come in bars, some at the same moment, and labels are as unequal as in real collections. The same arguments
give the same bytes. With audio, each recording is written below the folder of its source:

    python benchmarks/drum_manifest.py FOLDER --events 3010770 --sessions 2000 --kits 40 --audio silent

writes ``FOLDER/events.jsonl`` (1.6 GB) and ``FOLDER/audio/SOURCE/SESSION/mix.wav``.
"""

import argparse
import json
import os
import sys
import uuid
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

EVENTS, SESSIONS, KITS = 3_010_770, 2_000, 40
LABELS: Mapping[str, float] = {
    "kick": 0.235, "snare": 0.2, "hihat_closed": 0.22, "hihat_open": 0.05, "hihat_pedal": 0.06, "ride_bow": 0.07,
    "ride_bell": 0.012, "crash": 0.02, "china": 0.004, "splash": 0.004, "tom_high": 0.025, "tom_mid": 0.02,
    "tom_low": 0.025, "cross_stick": 0.02, "rimshot": 0.01, "aux_percussion": 0.022, "hihat_foot_splash": 0.003,
}  # fmt: skip
"""The 17 labels with their shares of the hits."""
_BUCKETS = ("ghost", "light", "medium", "accent")
_TECHNIQUES = ("flam", "roll", "ghost", "choke", "buzz")
_MIXES = ("solo", "full_mix", "drum_stem")
_HITS_PER_S = 8.0
_TAIL_S = 2.0
_TOGETHER = 0.15
_DOUBLED = 0.02


@dataclass(frozen=True, slots=True)
class Source:
    """One source: its shares of events and of sessions, context in milliseconds, and whether it is synthetic."""

    name: str
    events: float
    sessions: float
    pre_ms: int
    post_ms: int
    synthetic: bool = False


SOURCES = (
    Source("slakh", 0.845, 0.49, 80, 200, synthetic=True),
    Source("groove", 0.137, 0.33, 80, 200),
    Source("enst", 0.015, 0.1, 60, 120),
    Source("idmt", 0.003, 0.08, 40, 120),
)


@dataclass(frozen=True, slots=True)
class Session:
    """One session: a recording with its hits.

    ``onset_s``: onsets in seconds, sorted. ``label``: index of the label of each hit in :data:`LABELS`.
    """

    source: Source
    name: str
    kit: str
    drummer: str
    duration_s: float
    onset_s: NDArray[np.float64]
    label: NDArray[np.int64]
    number: int

    @property
    def audio_path(self) -> str:
        """Path of the recording below the folder of its source."""
        return f"{self.name}/mix.wav"


def sessions(events: int = EVENTS, n_sessions: int = SESSIONS, kits: int = KITS, seed: int = 0) -> Iterator[Session]:
    """Yield the sessions of a manifest of ``events`` events; each source has at least one session."""
    counts = _shared(n_sessions, [source.sessions for source in SOURCES])
    totals = _shared(events, [source.events for source in SOURCES])
    shares = np.array(list(LABELS.values()))
    number = 0
    for source, n, total in zip(SOURCES, counts, totals, strict=True):
        weights = np.random.default_rng((seed, len(source.name), n)).lognormal(0.0, 0.4, n)
        for rank, hits in enumerate(_shared(total, weights)):
            rng = np.random.default_rng((seed, number))
            duration_s = round(hits / _HITS_PER_S + _TAIL_S, 3)
            onset_s = np.sort(rng.uniform(0.05, duration_s - 0.5, hits))
            # The limb that plays with another one, at the same moment.
            together = np.flatnonzero(rng.random(hits) < _TOGETHER)
            onset_s[together] = onset_s[np.maximum(together - 1, 0)]
            yield Session(
                source=source,
                name=f"{source.name}_{rank:05d}",
                kit=f"kit{number % kits:02d}",
                drummer=f"drummer{number % 23:02d}",
                duration_s=duration_s,
                onset_s=np.round(np.sort(onset_s), 6),
                label=rng.choice(len(shares), hits, p=shares / shares.sum()),
                number=number,
            )
            number += 1


def lines(session: Session, seed: int = 0) -> Iterator[str]:
    """Yield the lines of a session, each with its line end."""
    rng = np.random.default_rng((seed, session.number, 1))
    hits = len(session.onset_s)
    names = list(LABELS)
    source, velocities = session.source, np.round(rng.beta(4, 3, hits), 4)
    ids, doubled, odd = rng.bytes(16 * hits), rng.random(hits) < _DOUBLED, rng.random(hits)
    head = f'", "session_id": "{session.name}", "source_set": "{source.name}", "is_synthetic": '
    head += f'{"true" if source.synthetic else "false"}, "audio_path": "{session.audio_path}", "midi_path": '
    head += f'"{session.name}/drums.mid", "onset_time": '
    tail = f'"context_ms": {{"pre": {source.pre_ms}.0, "post": {source.post_ms}.0}}, "metadata_ref": '
    tail += f'"provenance:{session.name}", "negative_example": false, "kit_id": "{session.kit}"'
    if not source.synthetic:
        tail += f', "drummer_id": "{session.drummer}", "room_id": "room{session.number % 7}", "bleed_level": 0.12'
        tail += f', "mix_context": "{_MIXES[session.number % 3]}"'
    for i, (onset_s, label, velocity) in enumerate(
        zip(session.onset_s.tolist(), session.label.tolist(), velocities.tolist(), strict=True)
    ):
        components = _component(names[label], velocity)
        if doubled[i]:
            components += ", " + _component("hihat_closed" if names[label] != "hihat_closed" else "kick", velocity)
        end = "null" if odd[i] < 0.8 else f"{onset_s + 0.1:.6f}"
        technique = f'"{_TECHNIQUES[i % 5]}"' if odd[i] < 0.04 else ""
        level = "" if source.synthetic else f', "loudness": {_loudness(velocity)}'
        yield (
            f'{{"event_id": "{uuid.UUID(bytes=ids[16 * i : 16 * i + 16], version=5)}{head}{onset_s}, '
            f'"offset_time": {end}, "tempo_bpm": 120.0, "meter": "4/4", "components": [{components}], '
            f'"techniques": [{technique}], {tail}{level}}}\n'
        )


def _component(label: str, velocity: float) -> str:
    bucket = _BUCKETS[min(int(velocity * 4), 3)]
    openness = f', "openness": {velocity}' if label.startswith("hihat") else ""
    return f'{{"label": "{label}", "velocity": {velocity}, "dynamic_bucket": "{bucket}"{openness}}}'


def _loudness(velocity: float) -> str:
    return f'{{"LUFS_i": {-30 + 18 * velocity:.2f}, "peak_dbfs": {-20 + 19 * velocity:.2f}}}'


def write_manifest(
    folder: Path,
    events: int = EVENTS,
    n_sessions: int = SESSIONS,
    kits: int = KITS,
    *,
    audio: str = "none",
    rate: int = 8000,
    seed: int = 0,
) -> Path:
    """Write a manifest, and its recordings if asked for.

    Parameters
    ----------
    folder
        Folder to write to; made if missing.
    events, n_sessions, kits
        How many there are; at least 4 sessions.
    audio
        ``none``; ``silent``: files of the right length without sound that take no room on most disks; ``hits``: a
        decaying tone for each hit, of a frequency that the label determines.
    rate
        Sample rate of the recordings, in Hz.
    seed
        Seed of everything random.

    Returns
    -------
    Path
        ``folder/events.jsonl``; recordings are at ``folder/audio/SOURCE/`` and the ``audio_path`` of an event.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "events.jsonl"
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for session in sessions(events, n_sessions, kits, seed):
            out.writelines(lines(session, seed))
            if audio != "none":
                file = folder / "audio" / session.source.name / session.audio_path
                file.parent.mkdir(parents=True, exist_ok=True)
                _write_audio(file, session, rate, with_hits=audio == "hits")
    return path


def root_map(folder: Path) -> list[str]:
    """Return the arguments that tell a command where the recordings of :func:`write_manifest` are."""
    return [
        part for source in SOURCES for part in ("--audio-root-map", f"{source.name}={folder / 'audio' / source.name}")
    ]


def obvious(manifest: Path, roots: Mapping[str, str]) -> tuple[dict[str, int], dict[str, int]]:
    """Count labels, and missing recordings by source, with ``json.loads`` and one ``os.path.exists`` a line."""
    labels: dict[str, int] = {}
    missing: dict[str, int] = {}
    with manifest.open(encoding="utf-8") as file:
        for line in file:
            event = json.loads(line)
            for component in event["components"]:
                labels[component["label"]] = labels.get(component["label"], 0) + 1
            source = event["source_set"]
            if not os.path.exists(os.path.join(roots[source], event["audio_path"])):
                missing[source] = missing.get(source, 0) + 1
    return labels, missing


def _write_audio(file: Path, session: Session, rate: int, with_hits: bool) -> None:
    n_samples = round(session.duration_s * rate)
    if not with_hits:
        with file.open("wb") as out, wave.open(out, "wb") as sound:
            sound.setnchannels(1)
            sound.setsampwidth(2)
            sound.setframerate(rate)
            sound.setnframes(n_samples)
            sound.writeframes(b"")
        _lengthen(file, n_samples, session.number)
        return
    samples = np.random.default_rng(session.number).normal(0, 0.002, n_samples)
    length = round(0.12 * rate)
    times = np.arange(length) / rate
    for onset_s, label in zip(session.onset_s, session.label, strict=True):
        pitch_hz = 90 * (rate / 200) ** (label / (len(LABELS) - 1) * 0.9)
        begin = round(onset_s * rate)
        sound_of = 0.3 * np.sin(2 * np.pi * pitch_hz * times) * np.exp(-30 * times)
        samples[begin : begin + length] += sound_of[: n_samples - begin]
    with wave.open(str(file), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _lengthen(file: Path, n_samples: int, number: int) -> None:
    """Give a WAV file without samples the length ``n_samples``: a hole, which takes no room on the disk.

    The first two samples are ``number``, so that no two files are equal.
    """
    n_bytes = 2 * n_samples
    with file.open("r+b") as out:
        out.seek(4)
        out.write((36 + n_bytes).to_bytes(4, "little"))
        out.seek(40)
        out.write(n_bytes.to_bytes(4, "little"))
        out.write(number.to_bytes(4, "little"))
        out.truncate(44 + n_bytes)


def _shared(total: int, weights: Sequence[float] | NDArray[np.float64]) -> list[int]:
    """Divide ``total`` in proportion to weights, in whole numbers of at least 1 that add up to it."""
    shares = np.asarray(weights, dtype=float) / np.sum(weights)
    counts = np.maximum(1, np.floor(shares * total).astype(int))
    counts[int(np.argmax(shares))] += total - int(counts.sum())
    return [int(count) for count in counts]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--kits", type=int, default=KITS)
    parser.add_argument("--audio", choices=("none", "silent", "hits"), default="none")
    parser.add_argument("--rate", type=int, default=8000, help="sample rate of the recordings in Hz")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    path = write_manifest(
        args.folder, args.events, args.sessions, args.kits, audio=args.audio, rate=args.rate, seed=args.seed
    )
    print(f"{path}: {path.stat().st_size / 1e9:.2f} GB", file=sys.stderr)


if __name__ == "__main__":
    main()
