"""Audio and annotation folders to a corpus: every recording examined, every annotation in its place.

Nothing is renamed or written beside the recordings. A bad audio file costs only itself and is listed; a malformed or
ambiguous annotation table stops the index, since guessing would turn calls into background. All results are in the
order of the recordings' paths, whatever the number of workers.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

from ossicle.artefacts.files import file_digest
from ossicle.audio import probe as audio_probe
from ossicle.core.digest import normal_path, recording_id
from ossicle.core.errors import AudioError, UsageError
from ossicle.core.records import Annotation, Recording
from ossicle.core.settings import setting, settings
from ossicle.corpus.annotation_files import AnnotationFiles, Note, read_annotation_files
from ossicle.corpus.discovery import files_below, shown
from ossicle.corpus.fields import Template, start_time_of, stem_of, top_folder
from ossicle.corpus.formats import SUFFIXES
from ossicle.corpus.levels import Levels, measure
from ossicle.corpus.pairing import Pairing
from ossicle.corpus.placing import place_annotations

STEP_VERSION = 1

Progress = Callable[[int, int], None]


@settings
class CorpusSettings:
    """Where a corpus lies and how its names and tables are read."""

    audio: str = setting(help="folder of recordings", digest=False)
    annotations: str = setting(default="", help="folder of annotation files, or one file; empty: none", digest=False)
    root: str = setting(
        default="recordings", help="name of the root; with the path below it, it identifies a recording"
    )
    name_template: str = setting(default="", help="fields in file names, such as site{site}_{date}_*; empty: none")
    label_column: str = setting(default="auto", help="label column of Raven tables: a name, a number from 1, or auto")
    default_label: str = setting(default="", help="label of rows that have none; empty: such rows are refused")
    label_field: str = setting(
        default="", help="field that labels a recording as a whole (`folder`, or one of the template's)"
    )
    labels: tuple[str, ...] = setting(default=(), help="labels to keep; empty: all that are found")
    decode: bool = setting(
        default=True,
        help="decode every recording once: finds truncated, silent and clipped ones; else headers are believed, and a "
        "recording that then does not decode stops the run",
    )

    def __post_init__(self) -> None:
        """Refuse an empty folder, which would silently be that of the project file."""
        if not self.audio.strip():
            raise ValueError(
                f"audio = {self.audio!r} names no folder; "
                "name the folder of recordings ('.' is that of the project file)"
            )


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An audio file that is no part of the corpus, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class CorpusIndex:
    """A corpus: recordings by path, annotations by recording and time, what was left out, and what to know.

    ``levels`` holds the levels of each recording by id where it was decoded. ``examined`` holds the stretches (seconds)
    that review rounds looked at, by recording id, and ``stated`` what the annotation files say without these rounds.
    """

    recordings: tuple[Recording, ...]
    annotations: tuple[Annotation, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[Note, ...] = ()
    levels: Mapping[str, Levels] = field(default_factory=dict)
    examined: Mapping[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    stated: tuple[Annotation, ...] | None = None

    @property
    def partly(self) -> dict[str, tuple[tuple[float, float], ...]]:
        """Of recordings that nobody annotated as a whole, the stretches that a review looked at: all that is known."""
        return {
            key: self.examined[key]
            for key in (one.id for one in self.recordings if not one.reviewed)
            if key in self.examined
        }


def index_corpus(
    audio_folder: Path,
    annotation_folder: Path | None,
    settings: CorpusSettings,
    *,
    group: str = "recording",
    workers: int = 1,
    progress: Progress | None = None,
) -> CorpusIndex:
    """Index a corpus with ``workers`` threads; ``progress`` is told recordings done and recordings in all.

    ``group`` is the field that no split cuts through. ``annotation_folder`` may be a single file. Raises UsageError
    for folders that are missing or hold no readable audio and for a group that no name yields, FormatError for
    annotation tables that are malformed or ambiguous.
    """
    paths, left_out = _audio_paths(audio_folder, settings)
    recordings, levels, bad = _examine_all(audio_folder, paths, settings, workers, progress)
    left_out += bad
    if not recordings:
        raise UsageError(
            f"{audio_folder}: none of its {len(paths)} audio files can be read; {_first_reasons(left_out)}"
        )
    recordings, notes, ungrouped = _grouped(recordings, settings, group)
    left_out += ungrouped
    tables = _tables(annotation_folder, paths, settings)
    kept, annotations, more = place_annotations(
        recordings, tables, {one.path: one.reason for one in left_out}, settings.label_field, settings.labels
    )
    notes = [*notes, *tables.notes, *more, *_duplicates(kept)]
    return CorpusIndex(
        recordings=tuple(kept),
        annotations=tuple(annotations),
        left_out=tuple(sorted(left_out, key=lambda one: one.path)),
        notes=tuple(notes),
        levels={one.id: levels[one.id] for one in kept if one.id in levels},
    )


def _audio_paths(folder: Path, settings: CorpusSettings) -> tuple[list[str], list[LeftOut]]:
    if not folder.is_dir():
        raise UsageError(f"corpus.audio: the folder {folder} does not exist; correct the path or connect the disk")
    paths: list[str] = []
    left_out: list[LeftOut] = []
    ids: dict[str, str] = {}
    for path in files_below(folder, audio_probe.SUFFIXES):
        try:
            key = recording_id(settings.root, path)
        except UnicodeEncodeError:
            left_out.append(LeftOut(shown(path), "its name is not valid UTF-8; rename it"))
            continue
        if key in ids:
            left_out.append(LeftOut(path, f"has the same name as {ids[key]!r} but for Unicode's form; rename one"))
            continue
        ids[key] = path
        paths.append(path)
    if not paths and not left_out:
        suffixes = ", ".join(sorted(audio_probe.SUFFIXES))
        raise UsageError(f"corpus.audio: the folder {folder} holds no audio files (looked for {suffixes})")
    return paths, left_out


def _examine_all(
    folder: Path, paths: Sequence[str], settings: CorpusSettings, workers: int, progress: Progress | None
) -> tuple[list[Recording], dict[str, Levels], list[LeftOut]]:
    recordings: list[Recording] = []
    levels: dict[str, Levels] = {}
    left_out: list[LeftOut] = []
    template = Template(settings.name_template) if settings.name_template else None
    # Decoding and hashing release the interpreter's lock, so threads are enough.
    with ThreadPoolExecutor(max_workers=max(1, workers)) as pool:
        found = pool.map(lambda path: _examine(folder, path, settings, template), paths)
        for done, one in enumerate(found, start=1):
            if isinstance(one, LeftOut):
                left_out.append(one)
            else:
                recordings.append(one[0])
                if one[1] is not None:
                    levels[one[0].id] = one[1]
            if progress is not None:
                progress(done, len(paths))
    return recordings, levels, left_out


def _examine(
    folder: Path, path: str, settings: CorpusSettings, template: Template | None
) -> tuple[Recording, Levels | None] | LeftOut:
    try:
        info = audio_probe.probe(folder / path)
        recording = Recording(
            id=recording_id(settings.root, path),
            root=settings.root,
            path=path,
            rate=info.rate,
            channels=info.channels,
            n_samples=info.n_samples,
            digest=file_digest(folder / path),
            fields=_fields(path, template),
        )
        # Some headers do not say how long the recording is.
        if not settings.decode and info.n_samples:
            return recording, None
        info, report, levels = measure(folder / path)
    except AudioError as problem:
        return LeftOut(path, str(problem).removeprefix(f"{folder / path}: "))
    except OSError as problem:
        return LeftOut(path, f"cannot be read ({problem.strerror})")
    reason = report.reason or ("every sample is zero" if report.status == "silent" else "")
    return replace(recording, n_samples=report.n_samples, status=report.status, reason=reason), levels


def _fields(path: str, template: Template | None) -> dict[str, str]:
    stem = normal_path(stem_of(path, audio_probe.SUFFIXES))
    fields = {"recording": normal_path(path), "folder": top_folder(normal_path(path))}
    if (start := start_time_of(stem.rpartition("/")[2])) is not None:
        fields["start_time"] = start
    return fields | ((template.parse(stem) or {}) if template is not None else {})


def _grouped(
    recordings: Sequence[Recording], settings: CorpusSettings, group: str
) -> tuple[list[Recording], list[Note], list[LeftOut]]:
    """Leave out recordings whose group is unknown: no split could be trusted with them."""
    wanted = [("split.group", group), ("corpus.label_field", settings.label_field)]
    for key, name in wanted:
        if name and not any(one.fields.get(name) for one in recordings):
            known = ", ".join(sorted({field for one in recordings for field in one.fields}))
            raise UsageError(
                f"{key}: no file name yields the field {name!r} (fields found: {known}); "
                f"correct corpus.name_template = {settings.name_template!r}, which {recordings[0].path!r} must fit"
            )
    template = Template(settings.name_template) if settings.name_template else None
    kept: list[Recording] = []
    notes: list[Note] = []
    left_out: list[LeftOut] = []
    for one in recordings:
        missing = [name for _, name in wanted if name and not one.fields.get(name)]
        unfit = template is not None and not set(template.names) <= one.fields.keys()
        if missing:
            reason = f"its name does not fit {settings.name_template!r}, so its {missing[0]} is unknown"
            left_out.append(LeftOut(one.path, reason))
            continue
        if unfit:
            notes.append(Note("name_template", one.path, f"does not fit {settings.name_template!r}"))
        kept.append(one)
    return kept, notes, left_out


def _tables(folder: Path | None, paths: Sequence[str], settings: CorpusSettings) -> AnnotationFiles:
    if folder is None:
        return AnnotationFiles()
    if not folder.exists():
        raise UsageError(f"corpus.annotations: the folder {folder} does not exist; correct the path, or leave it empty")
    tables = files_below(folder, SUFFIXES) if folder.is_dir() else [folder.name]
    return read_annotation_files(
        folder if folder.is_dir() else folder.parent,
        tables,
        Pairing(paths),
        label_column=settings.label_column,
        default_label=settings.default_label or None,
    )


def _duplicates(recordings: Sequence[Recording]) -> list[Note]:
    same: dict[str, list[str]] = defaultdict(list)
    for one in recordings:
        same[one.digest].append(one.path)
    return [
        Note("duplicate", paths[0], f"is the same file as {', '.join(paths[1:])}")
        for paths in same.values()
        if len(paths) > 1
    ]


def _first_reasons(left_out: Sequence[LeftOut]) -> str:
    return "; ".join(f"{one.path}: {one.reason}" for one in left_out[:3])
