"""Step ``pitch``: the samples of every unit are those around its frame, its F0 is that of the voice, no shard twice."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from ossicle.app.project.load import Project, load_project
from ossicle.app.steps.acoustic_units import features, segments
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.step import Silent, run_steps
from ossicle.app.steps.pipeline.work_units import run_work_unit
from ossicle.app.steps.vocoder import pitch
from ossicle.app.steps.vocoder.unit_grid import lead_samples, of_units
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.units.segments import SegmentsFolder
from ossicle.artefacts.typed.units.speech import SpeechFolder
from ossicle.core.errors import UsageError

from .test_held_out import PROJECT, SMALL

STEPS = (corpus.STEP, segments.STEP, features.STEP, pitch.STEP)
RATE = 16000
# Speakers hum at 110, 165 and 220 Hz; at 1.5 s there is a click.
HUMS_HZ = {"ada": 110.0, "bob": 165.0, "cleo": 220.0}


def write_hums(folder: Path, rate: int = RATE) -> None:
    """A hum of 3 s by each speaker, with a pause at its beginning and a click."""
    (folder / "audio").mkdir()
    times = np.arange(3 * rate) / rate
    for name, hz in HUMS_HZ.items():
        hum = sum(np.sin(2 * np.pi * k * hz * times) / k for k in range(1, 8)) * 0.1
        hum[: rate // 5] = 0
        hum[int(1.5 * rate)] = 0.9
        soundfile.write(folder / "audio" / f"{name}_0.wav", hum.astype(np.float32), rate)
    (folder / "ossicle.toml").write_text(f'{PROJECT}[segments]\nby = "files"\n')


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("hums")
    write_hums(folder)
    return load_project(folder, (SMALL, "project.workers=1"))


def of_speaker(done: dict[str, Path], name: str) -> str:
    rows = SegmentsFolder.among(done).table().select("group", "segment_id").iter_rows()
    return dict(rows)[name]


def test_units_have_their_samples_and_f0(project: Project) -> None:
    done = dict(run_steps(STEPS, project, Silent()).artefacts)
    speech, frames = SpeechFolder.among(done), FeaturesFolder.among(done)
    assert speech.rate == RATE
    samples, f0_hz = dict(speech.samples()), speech.f0_hz()
    lead = lead_samples(RATE, 0.02, 0.0125)
    for name, hz in HUMS_HZ.items():
        key = of_speaker(done, name)
        n_units = frames.n_windows(key)
        assert len(samples[key]) == lead + n_units * 320
        assert len(f0_hz[key]) == n_units
        of = of_units(samples[key], lead, n_units * 320)
        # A unit is the sound around the centre of its frame: the click at 1.5 s is in the unit whose centre is nearest.
        centres = 0.0125 + 0.02 * np.arange(n_units)
        clicked = int(np.argmax(np.abs(of))) // 320
        assert clicked == int(np.argmin(np.abs(centres - 1.5)))
        voiced = f0_hz[key] > 0
        assert voiced.mean() > 0.8
        assert not voiced[:8].any()
        assert np.median(f0_hz[key][voiced]) == pytest.approx(hz, rel=0.01)
    assert speech.left_out == {}
    assert (speech.summary["pitch"], speech.summary["segments"]) == (True, 3)


def test_without_pitch_nothing_is_tracked(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ossicle.app.steps.vocoder.unit_f0.unit_f0", None)
    plain = load_project(project.file, (SMALL, "vocoder.pitch=false"))
    speech = SpeechFolder.among(run_steps(STEPS, plain, Silent()).artefacts)
    assert {len(one) for one in speech.f0_hz().values()} == {0}
    assert len(list(speech.samples())) == 3


def test_tasks_give_the_same_content(project: Project, tmp_path: Path) -> None:
    done = run_steps(STEPS, project, Silent()).artefacts
    again = load_project(project.file, (SMALL, "project.workers=1"), tmp_path / "data")
    before = run_steps(STEPS[:-1], again, Silent()).artefacts
    for name in FeaturesFolder.among(before).shard_names:
        run_work_unit(again, "pitch", name, Silent())
    other = run_steps(STEPS, again, Silent())
    assert other.outcomes["pitch"] == "reused"
    assert SpeechFolder.among(other.artefacts).content == SpeechFolder.among(done).content


def test_the_rate_follows_the_recordings(tmp_path: Path) -> None:
    write_hums(tmp_path, rate=8000)
    speech = SpeechFolder.among(run_steps(STEPS, load_project(tmp_path, (SMALL,)), Silent()).artefacts)
    assert (speech.rate, speech.summary["hop_samples"]) == (8000, 160)


def test_a_rate_at_which_units_are_not_whole_is_refused(project: Project) -> None:
    odd = load_project(project.file, (SMALL, "vocoder.rate=11025"))
    with pytest.raises(UsageError, match=r"\[vocoder\] rate = 11025: a unit of 20 ms would have 220.5 samples.*11000"):
        run_steps(STEPS, odd, Silent())


def test_a_recording_that_is_lost_after_its_features_costs_only_itself(tmp_path: Path) -> None:
    write_hums(tmp_path)
    result = load_project(tmp_path, (SMALL, "project.workers=1"))
    done = dict(run_steps(STEPS[:-1], result, Silent()).artefacts)
    key, kept = of_speaker(done, "ada"), of_speaker(done, "cleo")
    file = tmp_path / "audio" / "ada_0.wav"
    whole, size = file.read_bytes(), file.stat()
    file.write_bytes(b"RIFF" + bytes(len(whole) - 4))
    import os

    os.utime(file, ns=(size.st_atime_ns, size.st_mtime_ns))
    speech = SpeechFolder.among(run_steps(STEPS, result, Silent()).artefacts)
    assert list(speech.left_out) == [key]
    assert "ada_0.wav" in speech.left_out[key]
    samples = dict(speech.samples())
    assert key not in samples
    # Those after it lie where the table says.
    of = of_units(samples[kept], lead_samples(RATE, 0.02, 0.0125), len(speech.f0_hz()[kept]) * 320)
    assert float(np.abs(of).max()) == pytest.approx(0.9, abs=0.3)
