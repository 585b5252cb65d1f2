"""Write many clips of recordings as WAV files: each recording is decoded once, stretch by stretch.

Clips whose recording is decoded for each of them cost a seek, a decoder and several checks each. Here neighbouring
clips are cut from one decoded stretch, so overlapping clips cost no second decoding.
"""

import multiprocessing
import struct
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ossicle.artefacts.filesystem.changes import remove_file
from ossicle.artefacts.many_files import ManyFiles
from ossicle.artefacts.processes.script_hint import script_hint
from ossicle.artefacts.processes.workers import end_with_parent, interrupts_held
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.decoding.mono import crop_mono
from ossicle.core.errors import AudioError, OssicleError
from ossicle.core.model_input.channel import MEAN
from ossicle.core.time import to_samples

_STRETCH_S, _GAP_S = 60.0, 2.0
# Fewer clips are written faster than a process starts.
_ALONE = 2000
_TASK_CLIPS = 500


@dataclass(frozen=True, slots=True)
class WavClip:
    """A clip to write: where, with forward slashes below the folder of all clips, and its times in seconds."""

    path: str
    start_s: float
    end_s: float


@dataclass(frozen=True, slots=True)
class ClippedRecording:
    """A recording with clips to write.

    Attributes
    ----------
    recording_id
        The recording.
    path
        Its file.
    rate
        Sample rate of the clips in Hz.
    clips
        The clips, in any order.
    channel
        The channel to read, as in :mod:`ossicle.core.model_input.channel`.
    """

    recording_id: str
    path: Path
    rate: int
    clips: tuple[WavClip, ...]
    channel: str = MEAN


@dataclass(frozen=True, slots=True)
class WrittenClips:
    """Recordings whose clips are done, the number of these clips, and why some recordings cannot be read.

    None of the clips of such a recording is left.
    """

    recording_ids: tuple[str, ...]
    n_clips: int
    lost: dict[str, str]


def write_wav_clips(folder: Path, recordings: Sequence[ClippedRecording], workers: int = 1) -> Iterator[WrittenClips]:
    """Write clips as 16-bit mono WAV files below ``folder``, each complete or absent, in parallel processes.

    Parameters
    ----------
    folder
        The folder of all clips.
    recordings
        The recordings with their clips.
    workers
        Number of processes; few clips are written in this one.

    Yields
    ------
    WrittenClips
        What is done since the last time; nothing is synced to the disk.

    Raises
    ------
    OssicleError
        A worker process was killed.
    """
    tasks = _tasks(recordings)
    if workers == 1 or len(tasks) < 2 or sum(len(recording.clips) for recording in recordings) < _ALONE:
        for task in tasks:
            yield _write(folder, task)
        return
    spawn = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(workers, len(tasks)), mp_context=spawn, initializer=end_with_parent)
    running: set[Future[WrittenClips]] = set()
    try:
        for task in tasks:
            if len(running) >= 2 * workers:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in ended)
            with interrupts_held():
                running.add(pool.submit(_write, folder, task))
        yield from (future.result() for future in running)
    except BrokenProcessPool as error:
        raise OssicleError(
            f"{folder}: a worker was killed, perhaps because memory ran out; run it again with fewer workers"
            f"{script_hint()}"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _tasks(recordings: Sequence[ClippedRecording]) -> list[list[ClippedRecording]]:
    tasks: list[list[ClippedRecording]] = []
    clips = _TASK_CLIPS
    for recording in recordings:
        if clips >= _TASK_CLIPS:
            tasks.append([])
            clips = 0
        tasks[-1].append(recording)
        clips += len(recording.clips)
    return tasks


def _write(folder: Path, recordings: Sequence[ClippedRecording]) -> WrittenClips:
    lost: dict[str, str] = {}
    with ManyFiles(folder) as files:
        for recording in recordings:
            written: list[str] = []
            try:
                for clip, samples in _cut_clips(recording):
                    files.write(clip.path, wav_header(len(samples), recording.rate) + samples.tobytes())
                    written.append(clip.path)
            except AudioError as error:
                lost[recording.recording_id] = str(error)
                for path in written:
                    remove_file(folder / path)
    done = tuple(recording.recording_id for recording in recordings)
    return WrittenClips(done, sum(len(recording.clips) for recording in recordings), lost)


def _cut_clips(recording: ClippedRecording) -> Iterator[tuple[WavClip, NDArray[np.int16]]]:
    """Yield each clip with its samples; like a slice, a clip that reaches beyond the end is shorter."""
    source, rate = AudioSource(recording.path), recording.rate
    for stretch in stretches(recording.clips):
        first = to_samples(stretch[0].start_s, rate)
        stop = max(to_samples(clip.end_s, rate) for clip in stretch)
        samples = pcm16(crop_mono(source, rate, first, stop, channel=recording.channel))
        for clip in stretch:
            clip_samples = samples[to_samples(clip.start_s, rate) - first : to_samples(clip.end_s, rate) - first]
            if len(clip_samples) == 0:
                raise AudioError(f"{recording.path}: holds no sound at {clip.start_s:.3f} s, where a clip begins")
            yield clip, clip_samples


def stretches(clips: Sequence[WavClip]) -> list[list[WavClip]]:
    """Return clips by start, those together that are decoded in one go: at most a minute, without long gaps.

    >>> [[one.path for one in found] for found in stretches([WavClip("b", 90, 91), WavClip("a", 0, 1)])]
    [['a'], ['b']]
    """
    clip_groups: list[list[WavClip]] = []
    end_s = -_GAP_S
    for clip in sorted(clips, key=lambda wav_clip: (wav_clip.start_s, wav_clip.end_s, wav_clip.path)):
        near = bool(clip_groups) and clip.start_s <= end_s + _GAP_S
        if near and max(end_s, clip.end_s) - clip_groups[-1][0].start_s <= _STRETCH_S:
            clip_groups[-1].append(clip)
            end_s = max(end_s, clip.end_s)
        else:
            clip_groups.append([clip])
            end_s = clip.end_s
    return clip_groups


def pcm16(samples: NDArray[np.float32]) -> NDArray[np.int16]:
    """Return float samples as 16-bit integers, as libsndfile writes them: clipped, and rounded down.

    >>> pcm16(np.array([-2, -1, 0, 0.5, 1], np.float32)).tolist()
    [-32768, -32768, 0, 16384, 32767]
    """
    scaled = np.rint(samples * np.float32(2**31)).clip(-(2.0**31), 2.0**31 - 256)
    integers: NDArray[np.int16] = (scaled.astype(np.int32) >> 16).astype("<i2")
    return integers


def wav_header(n_samples: int, rate: int) -> bytes:
    """Return the header of a WAV file of 16-bit mono samples.

    >>> len(wav_header(100, 44100))
    44
    """
    n_bytes = 2 * n_samples
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return struct.pack("<4sI4s", b"RIFF", 36 + n_bytes, b"WAVE") + form + struct.pack("<4sI", b"data", n_bytes)
