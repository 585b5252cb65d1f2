"""Export clips of a dataset as WAV files with lists, against the loop that exports one event at a time.

Recordings of a minute with hits at random times, as in a collection of drums: windows of 0.28 s around each, 16-bit at
44.1 kHz. The loop opens the recording, seeks, reads, averages the channels and writes, for each event, and keeps a list
of labels for the end; it checks nothing, and its files may be cut off by a kill. Both write the same samples.
"""

import argparse
import hashlib
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile
from machine import RESULTS, described, table, write_result
from smoke import parsed, require

from ossicle.artefacts.many_files import sync_disk
from ossicle.audio.wav_clips import ClippedRecording, WavClip, write_wav_clips
from ossicle.core.records import Clip, Recording
from ossicle.corpus.clips.clip_export import DatasetFiles, write_index, write_lists, write_tables
from ossicle.corpus.naming.clip_file_names import name_clips

RATE, LENGTH_S, BEFORE_S, AFTER_S = 44100, 60.0, 0.08, 0.2
LABELS = ("hihat_closed", "kick", "snare", "tom_low")


def written_recordings(folder: Path, count: int) -> list[Recording]:
    """Write stereo recordings of a minute."""
    folder.mkdir(parents=True)
    written = []
    for number in range(count):
        rng = np.random.default_rng(number)
        name = f"session_{number:05d}.wav"
        soundfile.write(folder / name, rng.normal(0, 0.1, (round(LENGTH_S * RATE), 2)), RATE, subtype="PCM_16")
        digest = hashlib.sha256(name.encode()).hexdigest()
        written.append(Recording(digest[:16], "audio", name, RATE, 2, round(LENGTH_S * RATE), digest))
    return written


def drawn_clips(recordings: Sequence[Recording], events: int) -> list[Clip]:
    """Draw windows around hits, equally many in each recording."""
    clips = []
    for number, recording in enumerate(recordings):
        rng = np.random.default_rng([1, number])
        here = events // len(recordings) + (number < events % len(recordings))
        onsets = np.sort(rng.uniform(BEFORE_S, LENGTH_S - AFTER_S, here))
        for onset, label in zip(onsets.tolist(), rng.integers(len(LABELS), size=here).tolist(), strict=True):
            clips.append(
                Clip(recording.id, onset - BEFORE_S, onset + AFTER_S, "target", 0, recording.id, LABELS[label])
            )
    return clips


def export(audio: Path, out: Path, recordings: Sequence[Recording], clips: Sequence[Clip], workers: int) -> float:
    """Export as ``ossicle dataset export --wav --fanout 2`` does; return the seconds."""
    began = time.monotonic()
    named = name_clips(clips, recordings, [None] * len(clips), LABELS)
    by_id = {recording.id: recording for recording in recordings}
    files = DatasetFiles(named, ["train"] * len(named), by_id, [], {"dataset": "benchmark"}, wav=True, fanout=2)
    by_recording: dict[str, list[WavClip]] = {}
    for named_clip in named:
        clip = WavClip(files.sound(named_clip), named_clip.clip.start_s, named_clip.clip.end_s)
        by_recording.setdefault(named_clip.clip.recording_id, []).append(clip)
    clipped = [
        ClippedRecording(key, audio / by_id[key].path, RATE, tuple(recording_clips))
        for key, recording_clips in by_recording.items()
    ]
    for done in write_wav_clips(out, clipped, workers):
        require(not done.lost, "all recordings can be read")
    sync_disk()
    write_lists(out, files)
    write_tables(out, files, RATE / 2)
    write_index(out, files)
    return time.monotonic() - began


def one_at_a_time(audio: Path, out: Path, recordings: Sequence[Recording], clips: Sequence[Clip]) -> float:
    """Export event by event; return the seconds."""
    began = time.monotonic()
    paths = {recording.id: audio / recording.path for recording in recordings}
    labels = []
    for number, clip in enumerate(clips):
        name = hashlib.sha1(f"{clip.recording_id}:{number}:{clip.label}".encode()).hexdigest()
        folder = out / "audio" / name[:2]
        folder.mkdir(parents=True, exist_ok=True)
        with soundfile.SoundFile(paths[clip.recording_id]) as file:
            first, stop = round(clip.start_s * RATE), round(clip.end_s * RATE)
            file.seek(first)
            samples = file.read(stop - first, dtype="float32", always_2d=True).mean(axis=1)
        soundfile.write(folder / f"{name}__{clip.label}.wav", samples, RATE, subtype="PCM_16")
        labels.append({"file": f"{name[:2]}/{name}__{clip.label}.wav", "label": clip.label, "duration": len(samples)})
    (out / "train_labels.json").write_text(json.dumps(labels))
    sync_disk()
    return time.monotonic() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--events", type=int, default=200_000, help="number of events")
    parser.add_argument("--per-recording", type=int, default=1500, help="events in each recording")
    parser.add_argument("--loop-events", type=int, default=20_000, help="events of the loop, the first ones")
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the result")
    args = parsed(parser, events=60, per_recording=30, loop_events=60, workers=1)
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        recordings = written_recordings(work / "audio", max(1, args.events // args.per_recording))
        clips = drawn_clips(recordings, args.events)
        few = clips[: args.loop_events]
        loop_s = one_at_a_time(work / "audio", work / "loop", recordings, few)
        ours_s = export(work / "audio", work / "ours", recordings, clips, args.workers)
        ours = sorted(path.stat().st_size for path in (work / "ours" / "clips").rglob("*.wav"))
        require(len(ours) == len(clips), "every event has a file")
        loop_rate, ours_rate = len(few) / loop_s, len(clips) / ours_s
    rows = [
        ["one event at a time", f"{len(few):,}", f"{loop_s:.1f}", f"{loop_rate:,.0f}", "1.0"],
        [f"export, {args.workers} processes", f"{len(clips):,}", f"{ours_s:.1f}", f"{ours_rate:,.0f}",
         f"{ours_rate / loop_rate:.1f}"],
    ]  # fmt: skip
    text = f"""# Clips as WAV files

`benchmarks/bench_clip_export.py --events {args.events} --workers {args.workers}`; {described(["soundfile"])}

{table(("way", "events", "s", "events/s", "ratio"), rows)}

Names, subfolders, lists, Raven tables and the index are part of the export, and a list of labels of the loop.
"""
    write_result("clip-export", text, args.out)


if __name__ == "__main__":
    main()
