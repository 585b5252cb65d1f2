"""Write onsets as a standard MIDI file: one track on the drum channel, with times to a quarter of a millisecond."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import mido

from ossicle.artefacts.files import whole_file
from ossicle.core.errors import UsageError

DRUM_CHANNEL = 9
"""Channel 10, counted from 0."""
# 120 beats a minute in ticks of half a millisecond: programs that limit the number of ticks still read over an hour.
_TEMPO_US, _TICKS_PER_BEAT = 500_000, 1000
_TICKS_PER_S = _TICKS_PER_BEAT * 1_000_000 // _TEMPO_US
_NOTE_TICKS = _TICKS_PER_S // 20
_MOST_TICKS = (1 << 28) - 1
_MOST_VELOCITY = 127


@dataclass(frozen=True, slots=True)
class Note:
    """A hit: its time in seconds, its MIDI note, and its velocity from 1 to 127."""

    time_s: float
    note: int
    velocity: int


def velocity_of(strength: float) -> int:
    """Return the velocity, 1 to 127, of a strength from 0 to 1.

    >>> velocity_of(1.0), velocity_of(0.5), velocity_of(0.0)
    (127, 64, 1)
    """
    return min(max(round(_MOST_VELOCITY * strength), 1), _MOST_VELOCITY)


def midi_notes(onsets: Sequence[tuple[float, str]], strengths: Sequence[float], notes: Mapping[str, int]) -> list[Note]:
    """Return the hits of a recording.

    Parameters
    ----------
    onsets
        Time in seconds and label of each.
    strengths
        Strength of each from 0 to 1.
    notes
        The note of each label.
    """
    return [
        Note(time_s, notes[label], velocity_of(strength))
        for (time_s, label), strength in zip(onsets, strengths, strict=True)
    ]


def write_midi(path: Path, hits: Sequence[Note]) -> None:
    """Write hits as a MIDI file, whole or not at all.

    A note lasts 50 ms, or until it is struck again. Of equal notes in one tick the strongest is kept.

    Raises
    ------
    UsageError
        If a hit lies so late that MIDI cannot hold its time (after 37 hours).
    """
    strongest: dict[tuple[int, int], int] = {}
    for hit in hits:
        key = (round(hit.time_s * _TICKS_PER_S), hit.note)
        if key[0] > _MOST_TICKS:
            raise UsageError(f"{path.name}: MIDI cannot hold an onset at {hit.time_s:.0f} s; choose another format")
        strongest[key] = max(strongest.get(key, 0), hit.velocity)
    # A note that ends is written before the one that begins in the same tick.
    messages: list[tuple[int, int, int, int]] = []
    following: dict[int, int] = {}
    for (tick, note), velocity in sorted(strongest.items(), reverse=True):
        end = min(tick + _NOTE_TICKS, following.get(note, _MOST_TICKS))
        messages += [(tick, 1, note, velocity), (end, 0, note, 0)]
        following[note] = tick
    track = mido.MidiTrack([mido.MetaMessage("set_tempo", tempo=_TEMPO_US, time=0)])
    now = 0
    for tick, begins, note, velocity in sorted(messages):
        kind = "note_on" if begins else "note_off"
        track.append(mido.Message(kind, channel=DRUM_CHANNEL, note=note, velocity=velocity, time=tick - now))
        now = tick
    track.append(mido.MetaMessage("end_of_track", time=0))
    file = mido.MidiFile(type=0, ticks_per_beat=_TICKS_PER_BEAT)
    file.tracks.append(track)
    with whole_file(path) as part:
        file.save(part)
