"""Labelled clips within the tapes they were cut from: annotations of a clip are those of a stretch of its tape.

If a tape is a recording, its clips are not (their sound would count twice): their annotations move to the tape, in its
time, and the stretches of the clips are the parts that somebody checked. A clip without its tape is a recording.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ossicle.core.errors import AudioError
from ossicle.core.intervals import as_intervals, union
from ossicle.corpus.formats.reading.labelled_audio import duration_of
from ossicle.corpus.indexing.annotation_files import AnnotationFiles
from ossicle.corpus.indexing.placement import cut_at, shifted
from ossicle.corpus.naming.clip_name_template import ClipName, ClipNames, Tapes, TapeStretch, lies_within
from ossicle.corpus.notes import Note

# Shorter gaps between two clips, or at an end of a tape, are rounding errors and not unchecked stretches.
_GAP_S = 0.1

Stretches = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class TapeClips:
    """The clips among the audio files: the content of their names by path, and the stretches of those with a tape."""

    clips: Mapping[str, ClipName] = field(default_factory=dict)
    stretches: Mapping[str, TapeStretch] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def within(self, durations_s: Mapping[str, float]) -> "TapeClips":
        """Return the same with only the stretches that lie in their tapes, whose lengths (s) are now known, by path."""
        lying_within: dict[str, TapeStretch] = {}
        notes = list(self.notes)
        for path, stretch in self.stretches.items():
            if stretch.tape not in durations_s:
                notes.append(Note("clip_beyond_tape", path, f"its tape {stretch.tape} was skipped"))
            elif lies_within(stretch, durations_s[stretch.tape]):
                lying_within[path] = stretch
            else:
                where = f"{stretch.start_s:g} to {stretch.end_s:g} s of {stretch.tape}"
                message = f"lies at {where}, which ends at {durations_s[stretch.tape]:g} s"
                notes.append(Note("clip_beyond_tape", path, message))
        if lying_within:
            tapes = len({tape_stretch.tape for tape_stretch in lying_within.values()})
            message = f"{len(lying_within)} clips belong to {tapes} tapes and were read as parts of them"
            notes.append(Note("clips_in_tapes", "", message))
        return TapeClips(self.clips, lying_within, tuple(notes))


def find_clips(folder: Path, usable: Sequence[str], chosen: Sequence[str], names: ClipNames) -> TapeClips:
    """Return the clips among ``usable`` audio files below ``folder``, and their positions in the ``chosen`` ones.

    Raises UsageError if lengths contradict the unit of the names, or a tape's name matches several recordings.
    """
    clips = {path: name for path in usable if (name := names.parse(path)) is not None}
    durations_s: dict[str, float] = {}
    notes: list[Note] = []
    for path in clips:
        try:
            durations_s[path] = duration_of(folder / path)
        except AudioError as problem:
            reason = str(problem).removeprefix(f"{folder / path}: ")
            notes.append(Note("clip_by_name", path, f"cannot be read ({reason}); its length was taken from its name"))
    notes += names.check_unit(clips, durations_s)
    tapes = Tapes(path for path in chosen if path not in clips)
    stretches: dict[str, TapeStretch] = {}
    for path, name in clips.items():
        tape = tapes.named(name.tape, path, "corpus.clip_names")
        if tape is not None:
            stretches[path] = names.stretch(name, tape, durations_s.get(path))
    return TapeClips(clips, stretches, tuple(notes))


def onto_tapes(
    tables: AnnotationFiles, stretches: Mapping[str, TapeStretch], more: Sequence[TapeStretch] = ()
) -> tuple[AnnotationFiles, dict[str, Stretches]]:
    """Move the annotations of clips onto their tapes; return them and the checked stretches (s) of each tape.

    ``stretches`` are those of the clips that are not recordings; ``more`` are other checked stretches. Annotations that
    pass the end of their clip are cut there, or left out and noted.
    """
    moved = AnnotationFiles([], tables.reviewed - stretches.keys(), list(tables.notes))
    for path, row in tables.rows:
        if path not in stretches:
            moved.rows.append((path, row))
            continue
        stretch = stretches[path]
        cut, note = cut_at(row, stretch.end_s - stretch.start_s, path)
        moved.notes += [note] if note is not None else []
        moved.rows += [(stretch.tape, shifted(cut, stretch.start_s))] if cut is not None else []
    looked: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for stretch in (*(stretches[path] for path in sorted(tables.reviewed & stretches.keys())), *more):
        looked[stretch.tape].append((stretch.start_s, stretch.end_s))
    joined = {tape: union(as_intervals(times), _GAP_S) for tape, times in sorted(looked.items())}
    return moved, {tape: tuple((float(a), float(b)) for a, b in times) for tape, times in joined.items()}


def covers(stretches: Stretches, duration_s: float) -> bool:
    """Return whether stretches (sorted, disjoint, s) cover a whole recording."""
    return len(stretches) == 1 and stretches[0][0] <= _GAP_S and stretches[0][1] >= duration_s - _GAP_S
