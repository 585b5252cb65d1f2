"""``predict`` as MIDI and JSON."""

import json
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from ...conftest import Commands


@pytest.fixture
def audio(tmp_path: Path) -> Path:
    folder = tmp_path / "audio" / "set"
    folder.mkdir(parents=True)
    soundfile.write(folder / "one.wav", np.random.default_rng(0).normal(0, 0.1, 16000), 8000)
    return tmp_path / "audio"


def test_a_transcript_has_the_times_of_the_events(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    labels = json.loads((old_bundle / "bundle.json").read_text())["labels"]
    notes = [word for place, label in enumerate(labels) for word in ("--midi-note", f"{label}={60 + place}")]
    out = tmp_path / "out"
    result = ossicle("predict", old_bundle, audio, "-o", out, "--format", "csv,midi,json", *notes)
    assert result.code == 0, result.err
    content = json.loads((out / "set" / "one.events.json").read_text())
    assert (content["recording"], content["duration_s"]) == ("set/one.wav", 2.0)
    read = pretty_midi.PrettyMIDI(str(out / "set" / "one.mid"))
    hits = sorted((note.start, note.pitch) for drums in read.instruments for note in drums.notes)
    wanted = sorted((event["start_s"], 60 + labels.index(event["label"])) for event in content["events"])
    assert [pitch for _, pitch in hits] == [pitch for _, pitch in wanted]
    np.testing.assert_allclose([time for time, _ in hits], [time for time, _ in wanted], atol=1e-3)
    # Other velocities and notes, also for recordings that were finished before.
    before = (out / "set" / "one.mid").read_bytes()
    result = ossicle("predict", old_bundle, audio, "-o", out, "--format", "midi", *notes, "--midi-velocity", "level")
    assert (result.code, "(done before)" in result.err) == (0, True)
    assert ((out / "set" / "one.mid").read_bytes() != before) == bool(hits)


def test_labels_without_a_note_are_refused_before_scoring(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands
) -> None:
    result = ossicle("predict", old_bundle, audio, "-o", tmp_path / "out", "--format", "midi")
    assert result.code == 2
    assert "no General MIDI note is known for" in result.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [("--midi-note", "kick=36"), ("--midi-velocity", "level")])
def test_choices_of_midi_without_midi_are_refused(
    old_bundle: Path, audio: Path, tmp_path: Path, ossicle: Commands, words: tuple[str, str]
) -> None:
    result = ossicle("predict", old_bundle, audio, "-o", tmp_path / "out", *words)
    assert result.code == 2
    assert "are for --format midi: add it, or leave them out" in result.err
