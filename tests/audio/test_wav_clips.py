"""Many clips as WAV: the same bytes as one at a time, from one decoding of each recording."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ossicle.audio import wav_clips
from ossicle.audio.decoding.decode import AudioSource
from ossicle.audio.decoding.mono import load_mono
from ossicle.audio.wav import wav_bytes
from ossicle.audio.wav_clips import ClippedRecording, WavClip, pcm16, stretches, wav_header, write_wav_clips

RATE = 22050


def clips_of(name: str, duration_s: float, count: int, seed: int) -> tuple[WavClip, ...]:
    rng = np.random.default_rng(seed)
    starts = rng.uniform(0, duration_s - 0.1, count)
    # Some overlap, some reach beyond the end.
    return tuple(WavClip(f"{name[-1]}/{k}.wav", float(at), float(at) + 0.3) for k, at in enumerate(starts))


@pytest.fixture
def recordings(encode) -> list[ClippedRecording]:
    rng = np.random.default_rng(3)
    clipped_recordings = []
    for number, (suffix, channels) in enumerate([("wav", 1), ("wav", 2), ("flac", 2)]):
        samples = rng.normal(0, 0.3, (6 * RATE, channels)).astype(np.float32)
        path = encode(f"r{number}.{suffix}", samples, RATE)
        clips = clips_of(f"r{number}", 6.0, 40, number)
        clipped_recordings.append(ClippedRecording(f"r{number}", path, RATE, clips, "first" if number == 1 else "mean"))
    return clipped_recordings


def written(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.wav")}


def one_at_a_time(recordings: list[ClippedRecording]) -> dict[str, bytes]:
    """The slow, obvious way."""
    return {
        clip.path: wav_bytes(
            load_mono(
                recording.path, recording.rate, clip.start_s, clip.end_s - clip.start_s, channel=recording.channel
            ),
            recording.rate,
        )
        for recording in recordings
        for clip in recording.clips
    }


@pytest.mark.parametrize("workers", [1, 2])
def test_the_clips_are_those_of_one_at_a_time(recordings, tmp_path, monkeypatch, workers):
    monkeypatch.setattr(wav_clips, "_ALONE", 0)
    monkeypatch.setattr(wav_clips, "_TASK_CLIPS", 50)
    done = list(write_wav_clips(tmp_path / "out", recordings, workers))
    assert sum(written_clips.n_clips for written_clips in done) == 120
    assert sorted(key for written_clips in done for key in written_clips.recording_ids) == ["r0", "r1", "r2"]
    assert all(written_clips.lost == {} for written_clips in done)
    assert written(tmp_path / "out") == one_at_a_time(recordings)


def test_a_recording_is_decoded_once(recordings, tmp_path, monkeypatch):
    opened: list[Path] = []
    decoded = [0]
    real = AudioSource.__init__, AudioSource.blocks

    def opening(self, path, *rest):
        opened.append(Path(path))
        real[0](self, path, *rest)

    def counting(self, **options):
        for block in real[1](self, **options):
            decoded[0] += len(block)
            yield block

    monkeypatch.setattr(AudioSource, "__init__", opening)
    monkeypatch.setattr(AudioSource, "blocks", counting)
    list(write_wav_clips(tmp_path / "out", recordings))
    assert opened == [recording.path for recording in recordings]
    assert decoded[0] <= 3 * 6 * RATE


def test_a_recording_that_cannot_be_read_leaves_no_clip(recordings, tmp_path):
    broken = recordings[2].path
    broken.write_bytes(broken.read_bytes()[:100])
    (done,) = write_wav_clips(tmp_path / "out", recordings)
    assert list(done.lost) == ["r2"]
    assert written(tmp_path / "out") == one_at_a_time(recordings[:2])


@given(st.lists(st.tuples(st.floats(0, 500), st.floats(0.01, 90)), max_size=30))
def test_stretches_hold_every_clip_once_and_are_short(times):
    clips = [WavClip(str(k), start_s, start_s + length_s) for k, (start_s, length_s) in enumerate(times)]
    result = stretches(clips)
    assert sorted((clip for one in result for clip in one), key=lambda clip: int(clip.path)) == clips
    for one in result:
        start_s, end_s = one[0].start_s, max(clip.end_s for clip in one)
        assert all(clip.start_s >= start_s for clip in one)
        assert len(one) == 1 or end_s - start_s <= 60


@pytest.mark.parametrize("scale", [1e-6, 1e-4, 0.1, 1.0, 10.0])
def test_samples_are_rounded_as_libsndfile_does(scale):
    samples = (scale * np.random.default_rng(0).standard_normal(20001)).astype(np.float32)
    samples[:8] = [1, -1, 0.99999994, -0.99999994, 2, -3, 0, 1 / 65536]
    assert wav_header(len(samples), RATE) + pcm16(samples).tobytes() == wav_bytes(samples, RATE)
