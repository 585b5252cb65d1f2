"""From audio and annotation folders to a corpus: every recording is examined, every annotation assigned to one.

Recordings are audio files; if there are both tapes and labelled clips of them, the tapes are (``corpus.tape_clips``).
Nothing is renamed or written beside the recordings. An unreadable audio file is skipped and listed. A malformed or
ambiguous annotation table stops the index, since guessing would turn calls into background. All results are in the
order of the recordings' paths, whatever the number of workers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ossicle.audio.decoding.levels import Levels
from ossicle.core.columns.annotation_columns import AnnotationColumns
from ossicle.core.digest import recording_id
from ossicle.core.errors import UsageError
from ossicle.core.model_input.channel import MEAN
from ossicle.core.records import Recording
from ossicle.core.text.counting import counted
from ossicle.corpus.formats.joined_labels import split_labels
from ossicle.corpus.formats.label_map import parse_label_map
from ossicle.corpus.formats.reading.folder_reader import NOT_ANNOTATIONS, NOT_READ, list_files
from ossicle.corpus.indexing.annotation_files import AnnotationFiles, read_annotation_files
from ossicle.corpus.indexing.examining.kept_parts import KeptParts
from ossicle.corpus.indexing.examining.probing import Examined, Examiner, Progress
from ossicle.corpus.indexing.examining.recorder_fields import with_recorder
from ossicle.corpus.indexing.field_check import with_fields
from ossicle.corpus.indexing.file_selection import AudioFiles, audio_files, skipped_words
from ossicle.corpus.indexing.index_warnings import divided_tapes, duplicates
from ossicle.corpus.indexing.metadata_table import Metadata, read_metadata
from ossicle.corpus.indexing.placement import place_annotations
from ossicle.corpus.indexing.recording_labels import field_labels, whole_labels
from ossicle.corpus.indexing.segment_names import CutOuts, Segments, find_cut_outs, read_segments
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.indexing.tape_clips import Stretches, TapeClips, covers, find_clips, onto_tapes
from ossicle.corpus.naming.clip_name_template import ClipNames
from ossicle.corpus.naming.file_listing import shown
from ossicle.corpus.naming.name_templates import Templates
from ossicle.corpus.naming.recording_fields import RecordingNames
from ossicle.corpus.naming.table_pairing import Pairing
from ossicle.corpus.notes import LeftOut, Note

STEP_VERSION = 21


@dataclass(frozen=True, slots=True)
class CorpusIndex:
    """A corpus: recordings by path, annotations by recording and time, left-out files, and notes.

    ``levels``: levels of each decoded recording by id. ``examined``: stretches (seconds) that somebody checked, by
    recording id (labelled clips of tapes, and review rounds). ``stated``: the annotations of the files alone, before
    reviews; None without reviews. ``unknown``: labels of whole recordings whose presence is unknown, by recording id.
    """

    recordings: tuple[Recording, ...]
    annotations: AnnotationColumns
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Note, ...] = ()
    levels: Mapping[str, Levels] = field(default_factory=dict)
    examined: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    stated: AnnotationColumns | None = None
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make columns of annotations that are given in another form."""
        for name in ("annotations", "stated"):
            if (records := getattr(self, name)) is not None:
                object.__setattr__(self, name, AnnotationColumns.from_annotations(records))

    @property
    def partly(self) -> dict[str, tuple[tuple[float, float], ...]]:
        """The checked stretches of recordings that were not annotated as a whole; only these are known."""
        parts = [
            recording.id for recording in self.recordings if not recording.reviewed and recording.id in self.examined
        ]
        return {key: self.examined[key] for key in parts}


def index_corpus(
    audio_folder: Path,
    annotation_folder: Path | None,
    settings: CorpusSettings,
    *,
    group: str = "recording",
    workers: int = 1,
    progress: Progress | None = None,
    metadata_table: Path | None = None,
    hashed: bool = True,
    channel: str = MEAN,
    unfinished: Path | None = None,
) -> CorpusIndex:
    """Index a corpus with ``workers`` threads; ``progress`` gets the number of finished and of all recordings.

    ``group`` is the field that no split may divide. ``annotation_folder`` may be a single file; ``metadata_table`` is
    that of ``settings.metadata``. Without ``hashed`` recordings have no digest, which is faster. A recording that lacks
    the ``channel`` to read (:mod:`ossicle.core.model_input.channel`) is left out. An interrupted index continues from
    the folder ``unfinished``, which the caller removes. Raises UsageError for missing folders or tables, unreadable
    audio only, globs that leave nothing, a group that no name or column holds, and offsets that the lengths of clips
    contradict; FormatError for malformed or ambiguous annotation tables.
    """
    cut_outs = find_cut_outs(annotation_folder, settings.segment_names, settings.default_label)
    segments = annotation_folder if cut_outs is not None else None
    files = audio_files(audio_folder, settings.include, settings.exclude, segments, settings.most)
    chosen, left_out = _identified(files, settings.root)
    names = ClipNames(settings.clip_names, settings.offset_unit or "s")
    clips = find_clips(audio_folder, files.usable, chosen, names)
    templates = Templates(settings.name_template)
    naming = RecordingNames(templates, clips.clips if settings.clip_names else None, names.unit)
    examiner = Examiner(audio_folder, settings.root, settings.decode, naming, hashed, channel, settings.from_sound)
    examined, clips = _examined(examiner, chosen, clips, workers, progress, unfinished)
    left_out += [LeftOut(path, reason) for path, reason in examined.bad]
    if not examined.recordings:
        raise UsageError(
            f"{audio_folder}: none of its {len(chosen)} audio files can be read; {_first_reasons(left_out)}"
        )
    metadata = None
    if metadata_table is not None:
        metadata = read_metadata(
            metadata_table, files.listed, settings.metadata, templates.names, settings.label_separator
        )
        left_out += metadata.without_file
    recordings, field_notes, without_fields = _described(examined, clips, templates, metadata, group, settings)
    left_out += without_fields
    lengths = {recording.path: recording.duration_s for recording in recordings}
    tables, looked = _annotations(annotation_folder, cut_outs, files, clips, names, lengths, settings)
    tables.notes = [note for note in tables.notes if not _is_about(note, annotation_folder, metadata_table)]
    tables.reviewed.update(path for path, times in looked.items() if path in lengths and covers(times, lengths[path]))
    unknown = _add_whole_labels(tables, recordings, metadata, examined.sound_s, settings)
    unknown = _rename_labels(tables, unknown, settings)
    placed, annotations, placement_notes = place_annotations(
        recordings, tables, {entry.path: entry.reason for entry in left_out}, settings.labels
    )
    divided = divided_tapes(placed, group) if settings.clip_names else []
    metadata_notes = (*metadata.notes, *metadata.without_group(placed, group)) if metadata is not None else ()
    return CorpusIndex(
        recordings=tuple(placed),
        annotations=AnnotationColumns.from_annotations(annotations),
        left_out=tuple(sorted(left_out, key=lambda entry: entry.path)),
        notes=(
            *_file_notes(files),
            *clips.notes,
            *divided,
            *metadata_notes,
            *field_notes,
            *tables.notes,
            *placement_notes,
            *duplicates(placed),
        ),
        levels={recording.id: examined.levels[recording.id] for recording in placed if recording.id in examined.levels},
        examined={
            recording.id: looked[recording.path]
            for recording in placed
            if recording.path in looked and not recording.reviewed
        },
        unknown={recording.id: unknown[recording.path] for recording in placed if recording.path in unknown},
    )


def _examined(
    examiner: Examiner,
    chosen: Sequence[str],
    clips: TapeClips,
    workers: int,
    progress: Progress | None,
    unfinished: Path | None,
) -> tuple[Examined, TapeClips]:
    """Examine the recordings, and return with them the clips that lie in one of them."""
    cut_out = clips.stretches.keys()
    whole = examiner.all(
        [path for path in chosen if path not in cut_out], workers, progress, _kept_parts(unfinished, "examined")
    )
    clips = clips.within({recording.path: recording.duration_s for recording in whole.recordings})
    # If a tape is damaged or too short, its clips are recordings after all.
    clips_alone = [path for path in chosen if path in cut_out and path not in clips.stretches]
    alone = examiner.all(clips_alone, workers, progress if clips_alone else None, _kept_parts(unfinished, "apart"))
    return whole.joined(alone), clips


def _described(
    examined: Examined,
    clips: TapeClips,
    templates: Templates,
    metadata: Metadata | None,
    group: str,
    settings: CorpusSettings,
) -> tuple[list[Recording], list[Note], list[LeftOut]]:
    """Return the recordings with the fields of the metadata and of their recorders, if they have those that are needed.

    Also returns notes on names that match no template, and the recordings that lack a needed field.
    """
    recordings = examined.recordings if metadata is None else metadata.describe(examined.recordings, group)
    with_recorders = [
        with_recorder(recording, examined.recorded[recording.id], is_clip=recording.path in clips.clips)
        for recording in recordings
    ]
    wanted_fields = {"split.group": group, "corpus.label_field": settings.label_field}
    label_keys = {f"corpus.label_fields.{name}": name for name in settings.label_fields}
    return with_fields(with_recorders, templates, wanted_fields, label_keys)


def _add_whole_labels(
    tables: AnnotationFiles,
    recordings: Sequence[Recording],
    metadata: Metadata | None,
    sound_s: Mapping[str, float | None],
    settings: CorpusSettings,
) -> dict[str, tuple[str, ...]]:
    """Add the labels of whole recordings to ``tables``, and return by path those that may or may not be present."""
    if settings.label_fields:
        whole, unknown = field_labels(recordings, settings.label_fields)
    else:
        whole, unknown = whole_labels(recordings, settings.label_field, settings.negative_labels, metadata, sound_s)
    tables.rows += whole.rows
    tables.reviewed |= whole.reviewed
    tables.notes += whole.notes
    return unknown


def _rename_labels(
    tables: AnnotationFiles, unknown: Mapping[str, tuple[str, ...]], settings: CorpusSettings
) -> dict[str, tuple[str, ...]]:
    """Divide joined labels of ``tables`` and map their names; return ``unknown`` with mapped names."""
    label_names = parse_label_map(settings.label_map, "corpus.label_map")
    tables.rows = [
        (path, replace(row, label=label_names.name(label)))
        for path, row in tables.rows
        # An event whose cell holds no label keeps its text, which the health report names.
        for label in split_labels(row.label, settings.label_separator) or (row.label,)
    ]
    return {path: tuple(sorted({label_names.name(label) for label in labels})) for path, labels in unknown.items()}


def _file_notes(files: AudioFiles) -> list[Note]:
    """Return notes on globs that match nothing, and on files beside recordings that were skipped."""
    notes = [Note("glob_unused", f"corpus.{key}", f"{glob!r} matches no audio file") for key, glob in files.idle]
    if files.skipped:
        message = f"{counted(len(files.skipped), 'file')}, beginning with this one, {skipped_words(len(files.skipped))}"
        notes.append(Note("beside_recording", shown(files.skipped[0]), message))
    return notes


def _kept_parts(folder: Path | None, name: str) -> KeptParts | None:
    return None if folder is None else KeptParts(folder, name)


def _identified(files: AudioFiles, root: str) -> tuple[list[str], list[LeftOut]]:
    """Return the chosen files that can have an id of their own, and those that cannot be opened or named."""
    identified: list[str] = []
    left_out: list[LeftOut] = []
    ids: dict[str, str] = {}
    for path in files.chosen:
        try:
            key = recording_id(root, path)
        except UnicodeEncodeError:
            left_out.append(LeftOut(shown(path), "its name is not valid UTF-8; rename it"))
            continue
        if key in ids:
            left_out.append(LeftOut(path, f"has the same name as {ids[key]!r} in another Unicode form; rename one"))
            continue
        ids[key] = path
        identified.append(path)
    left_out += [
        LeftOut(shown(path), f"is a folder that cannot be opened ({reason}); change its permissions, or exclude it")
        for path, reason in files.unreadable
    ]
    return identified, left_out


def _annotations(
    folder: Path | None,
    cut_outs: CutOuts | None,
    files: AudioFiles,
    clips: TapeClips,
    names: ClipNames,
    lengths_s: Mapping[str, float],
    settings: CorpusSettings,
) -> tuple[AnnotationFiles, dict[str, Stretches]]:
    """Return what tables and segments say about recordings, and the stretches of tapes that labelled clips cover."""
    tables = AnnotationFiles() if folder is None else _tables(folder, files.listed, lengths_s, settings)
    segments = Segments()
    if cut_outs is not None:
        excluded = sorted(set(files.listed) - set(files.usable))
        segments = read_segments(cut_outs[1], cut_outs[0], names, files.usable, excluded, lengths_s)
        tables.rows += segments.rows
        tables.notes += segments.notes
        # A clip from which segments were cut counts as reviewed; of other recordings only the segments are known.
        placed = {stretch.tape for stretch in segments.stretches}
        tables.reviewed |= clips.clips.keys() | ({path for path, _ in segments.rows} - placed)
    tables, looked = onto_tapes(tables, clips.stretches, segments.stretches)
    unused = set(files.listed) - set(files.chosen)
    lost = [path for path, _ in tables.rows if path in unused]
    if lost:
        message = f"{len(lost)} annotations belong to {len(set(lost))} files that are not included; they were not used"
        tables.notes.append(Note("not_chosen", "corpus.include, corpus.exclude", message, len(lost)))
        tables.rows = [(path, row) for path, row in tables.rows if path not in unused]
    return tables, looked


def _tables(
    folder: Path, paths: Sequence[str], lengths_s: Mapping[str, float], settings: CorpusSettings
) -> AnnotationFiles:
    if not folder.exists():
        raise UsageError(f"corpus.annotations: the folder {folder} does not exist; correct the path, or leave it empty")
    tables, foreign = list_files(folder)
    read = read_annotation_files(
        folder if folder.is_dir() else folder.parent,
        tables,
        Pairing(paths),
        label_column=settings.label_column,
        default_label=settings.default_label or None,
        lengths_s=lengths_s,
    )
    read.notes += foreign
    return read


def _is_about(note: Note, folder: Path | None, metadata_table: Path | None) -> bool:
    """Return whether a note says that the table of metadata, which is read as such, holds no annotations."""
    if folder is None or metadata_table is None or note.kind not in (NOT_READ, NOT_ANNOTATIONS):
        return False
    below = folder if folder.is_dir() else folder.parent
    return (below / note.where).resolve() == metadata_table.resolve()


def _first_reasons(left_out: Sequence[LeftOut]) -> str:
    return "; ".join(f"{entry.path}: {entry.reason}" for entry in left_out[:3])
