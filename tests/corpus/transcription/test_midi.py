"""MIDI files of hits, read back by pretty_midi."""

from pathlib import Path

import mido
import numpy as np
import pretty_midi
import pytest

from ossicle.core.errors import UsageError
from ossicle.corpus.transcription.drum_notes import drum_notes, notes_of, stated_notes
from ossicle.corpus.transcription.midi import Note, midi_notes, velocity_of, write_midi
from ossicle.corpus.transcription.onset_strengths import level_strengths, peak_envelope


def read_back(path: Path) -> list[tuple[float, int, int]]:
    (drums,) = pretty_midi.PrettyMIDI(str(path)).instruments
    assert drums.is_drum
    return sorted((note.start, note.pitch, note.velocity) for note in drums.notes)


def test_times_notes_and_velocities_are_read_back_within_a_millisecond(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    # An hour, with notes struck again within their length and several at once.
    times = np.sort(rng.uniform(0, 3600, 3000))
    hits = [Note(float(t), int(rng.choice([36, 38, 42])), int(rng.integers(1, 128))) for t in times]
    write_midi(tmp_path / "a.mid", hits)
    back = read_back(tmp_path / "a.mid")
    assert len(back) == len(hits)
    for (start, pitch, velocity), hit in zip(back, hits, strict=True):
        assert start == pytest.approx(hit.time_s, abs=0.001)
        assert (pitch, velocity) == (hit.note, hit.velocity)


def test_simultaneous_hits_stay_simultaneous(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", [Note(1.0, 36, 100), Note(1.0, 42, 80), Note(1.0, 42, 90)])
    # One drum cannot be struck twice at one moment: the stronger hit is kept.
    assert read_back(tmp_path / "a.mid") == [(1.0, 36, 100), (1.0, 42, 90)]


def test_a_recording_without_hits_gives_a_file_without_notes(tmp_path: Path) -> None:
    write_midi(tmp_path / "a.mid", [])
    assert [message.type for message in mido.MidiFile(tmp_path / "a.mid").tracks[0]] == ["set_tempo", "end_of_track"]


def test_a_time_that_midi_cannot_hold_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="MIDI cannot hold an onset at 200000 s"):
        write_midi(tmp_path / "a.mid", [Note(200_000.0, 36, 1)])
    assert not list(tmp_path.iterdir())


def test_known_drums_have_the_notes_of_general_midi() -> None:
    known = drum_notes()
    # Numbers of the standard, as pretty_midi names them.
    for label, name in (
        ("kick", "Bass Drum 1"),
        ("snare", "Acoustic Snare"),
        ("hihat_closed", "Closed Hi Hat"),
        ("hihat_open", "Open Hi Hat"),
        ("hihat_pedal", "Pedal Hi Hat"),
        ("cross_stick", "Side Stick"),
        ("clap", "Hand Clap"),
        ("tom_high", "High Tom"),
        ("tom_low", "Low Tom"),
        ("crash", "Crash Cymbal 1"),
        ("china", "Chinese Cymbal"),
        ("splash", "Splash Cymbal"),
        ("ride_bell", "Ride Bell"),
        ("ride", "Ride Cymbal 1"),
        ("cowbell", "Cowbell"),
        ("tambourine", "Tambourine"),
        ("shaker", "Maracas"),
    ):
        assert pretty_midi.note_number_to_drum_name(known[label]) == name
    assert all(0 <= note <= 127 for note in known.values())


def test_every_short_name_of_drums_has_the_note_of_its_full_name() -> None:
    from ossicle.corpus.transcription.drum_names import DRUM_NAMES

    known = drum_notes()
    assert {name for name in DRUM_NAMES.values() if name not in known} == set()


def test_unknown_labels_need_a_note_and_the_message_gives_the_option() -> None:
    with pytest.raises(UsageError, match=r"no General MIDI note is known for gong; give each, as --midi-note gong=60"):
        notes_of(["kick", "gong"], {})
    assert notes_of(["kick", "gong"], {"gong": 52, "kick": 35}) == {"kick": 35, "gong": 52}
    with pytest.raises(UsageError, match=r"'gogn' is not a label of the bundle \(gong\).*gong"):
        notes_of(["gong"], {"gogn": 52})


@pytest.mark.parametrize("text", ["gong", "gong=", "=52", "gong=128", "gong=-1", "gong=5.5", "gong=x"])
def test_a_note_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="write LABEL=NOTE with a note from 0 to 127"):
        stated_notes([text])


def test_velocities_follow_strengths() -> None:
    assert [velocity_of(one) for one in (0.0, 0.001, 0.5, 1.0, 1.7)] == [1, 1, 64, 127, 127]
    assert midi_notes([(0.5, "kick")], [1.0], {"kick": 36}) == [Note(0.5, 36, 127)]


def test_a_hit_12_db_below_the_loudest_has_half_its_strength() -> None:
    samples = np.zeros((8000, 2), dtype=np.float32)
    samples[1000:1100, 0], samples[4000:4100, 1] = 0.8, -0.2
    whole = peak_envelope([samples], 8000)
    np.testing.assert_array_equal(peak_envelope([samples[:123], samples[123:4001], samples[4001:]], 8000), whole)
    assert level_strengths([0.125, 0.5], whole) == [pytest.approx(1.0), pytest.approx(0.5)]
    assert level_strengths([0.9], whole) == [0.0]
    assert level_strengths([], whole) == []
