"""Transcripts beside the tables of predictions: a MIDI file or a list of onsets for each recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ossicle.app.api.predictions.recording_prediction import RecordingPrediction
from ossicle.artefacts.files import FileWriting, whole_file
from ossicle.artefacts.filesystem.changes import remove_file
from ossicle.core.errors import AudioError, UsageError
from ossicle.corpus.naming.table_names import table_places

MIDI, JSON = "midi", "json"
TRANSCRIPT_FORMATS = (MIDI, JSON)
ENDINGS: Mapping[str, str] = {MIDI: ".mid", JSON: ".events.json"}
SCORE, LEVEL = "score", "level"
VELOCITIES = (SCORE, LEVEL)


@dataclass(frozen=True, slots=True)
class MidiChoices:
    """What a user says of MIDI files: ``notes`` as LABEL=NOTE, and what velocities follow, ``score`` or ``level``."""

    notes: Sequence[str] = ()
    velocity: str = SCORE

    def require_midi(self, formats: Sequence[str]) -> None:
        """Raise UsageError for an unknown velocity, and for choices that nothing uses."""
        if self.velocity not in VELOCITIES:
            raise UsageError(f"--midi-velocity {self.velocity} is not one of: {', '.join(VELOCITIES)}")
        if MIDI not in formats and (self.notes or self.velocity != SCORE):
            raise UsageError("--midi-note and --midi-velocity are for --format midi: add it, or leave them out")


@dataclass(frozen=True)
class Transcripts:
    """The transcripts of one output folder.

    ``names``: all recordings that are asked for; ``formats``: some of :data:`TRANSCRIPT_FORMATS`; ``notes``: the MIDI
    note of each label; ``velocity``: what velocities follow.
    """

    folder: Path
    names: Sequence[str]
    formats: Sequence[str]
    notes: Mapping[str, int] = field(default_factory=dict)
    velocity: str = SCORE

    def write(self, prediction: RecordingPrediction, writing: FileWriting = whole_file) -> None:
        """Write the transcripts of a recording; one that was left out gets none, and earlier ones are removed.

        ``writing`` gives each file a name to write to.
        """
        # Here, because every start of the command line reads this module.
        from ossicle.corpus.transcription.event_json import write_event_json
        from ossicle.corpus.transcription.midi import midi_notes, write_midi

        audio_path = table_places(self.names)[prediction.name]
        for name in self.formats:
            path = self.folder / audio_path.with_name(audio_path.name + ENDINGS[name])
            if prediction.status == "left_out":
                remove_file(path)
                continue
            with writing(path) as part:
                if name == JSON:
                    write_event_json(part, prediction.name, prediction.end_s, prediction.rows)
                else:
                    onsets = [(event.start_s, event.label) for event in prediction.events]
                    write_midi(part, midi_notes(onsets, self._strengths(prediction), self.notes))

    def _strengths(self, prediction: RecordingPrediction) -> list[float]:
        from ossicle.audio.decoding.decode import AudioSource
        from ossicle.corpus.transcription.onset_strengths import level_strengths, peak_envelope

        if self.velocity == SCORE or prediction.path is None:
            return [event.score for event in prediction.events]
        source = AudioSource(prediction.path)
        try:
            envelope = peak_envelope(source.blocks(), source.info.rate)
        except AudioError as error:
            raise UsageError(f"--midi-velocity level: {error}; use --midi-velocity score") from None
        return level_strengths([event.start_s for event in prediction.events], envelope)


def transcripts(
    out: Path, names: Sequence[str], formats: Sequence[str], labels: Sequence[str], choices: MidiChoices
) -> Transcripts:
    """Return the transcripts to write among ``formats``.

    Parameters
    ----------
    out
        Folder of the results.
    names
        All recordings that are asked for.
    formats
        Formats of the user; those that are no transcripts are not used.
    labels
        Labels of the bundle.
    choices
        Notes and velocities.

    Raises
    ------
    UsageError
        A label has no MIDI note, or a choice has no meaning; before anything is scored.
    """
    from ossicle.corpus.transcription.drum_notes import notes_of, stated_notes

    choices.require_midi(formats)
    notes = notes_of(labels, stated_notes(choices.notes)) if MIDI in formats else {}
    return Transcripts(
        out,
        names,
        [format_name for format_name in formats if format_name in TRANSCRIPT_FORMATS],
        notes,
        choices.velocity,
    )
