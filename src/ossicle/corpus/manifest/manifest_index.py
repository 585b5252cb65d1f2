"""From a manifest to a corpus index: recordings that events name, and annotations from their components."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ossicle.artefacts.records.column_tables import annotations_of
from ossicle.artefacts.roots import Roots
from ossicle.core.errors import UsageError
from ossicle.core.model_input.channel import MEAN
from ossicle.core.records import Recording
from ossicle.core.text.rounding import rounded
from ossicle.corpus.formats.cells.rows import label_text
from ossicle.corpus.formats.label_map import parse_label_map
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.examining.kept_parts import KeptParts
from ossicle.corpus.indexing.examining.probing import Examiner
from ossicle.corpus.indexing.field_check import with_fields
from ossicle.corpus.indexing.index_warnings import duplicates
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.manifest.block_import import Imported, import_blocks
from ossicle.corpus.manifest.byte_blocks import BLOCK_BYTES
from ossicle.corpus.manifest.chosen_recordings import chosen_recordings, described, manifest_metadata
from ossicle.corpus.manifest.hit_tables import HitCounts, Labelling, annotations_in, write_hits
from ossicle.corpus.manifest.named_recordings import examine, named_recordings, require_present
from ossicle.corpus.naming.name_templates import Templates
from ossicle.corpus.naming.recording_fields import RecordingNames
from ossicle.corpus.notes import LeftOut, Note

Shown = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ImportFolders:
    """Where an import writes: ``blocks`` while it runs, ``hits`` for good."""

    blocks: Path
    hits: Path


def index_manifest(
    file: Path,
    roots: Roots,
    settings: CorpusSettings,
    folders: ImportFolders,
    *,
    group: str = "",
    workers: int = 1,
    progress: Shown | None = None,
    channel: str = MEAN,
    block_bytes: int = BLOCK_BYTES,
    metadata_table: Path | None = None,
) -> CorpusIndex:
    """Import a manifest, and index the recordings that it names. An interrupted import is continued.

    Parameters
    ----------
    file
        The manifest.
    roots
        Where the recordings of each source are.
    settings
        Settings of the corpus.
    folders
        Where to write.
    group
        The field that no split may divide; recordings without it are left out.
    workers
        Number of processes that read the manifest, and of threads that examine recordings.
    progress
        Gets what is done, of how much, and its name.
    channel
        The channel of recordings that is read.
    block_bytes
        Size of the blocks of the manifest in bytes.
    metadata_table
        The table of ``settings.metadata`` with further fields of recordings; None reads none.

    Raises
    ------
    FormatError
        A line is no event, and ``settings.skip_bad`` is not set.
    UsageError
        The manifest holds no events, the settings leave no recording, a source lacks more recordings than allowed, none
        can be read, or most hits begin after the end of their recordings.
    """
    if not file.exists():
        raise UsageError(f"[corpus] manifest: {file} does not exist; correct the path")
    show = progress or (lambda done, total, stage: None)
    imported = import_blocks(
        file,
        folders.blocks,
        limit=settings.limit,
        skip_bad=settings.skip_bad,
        workers=workers,
        progress=lambda done, total: show(done, total, "blocks of the manifest"),
        block_bytes=block_bytes,
    )
    if not imported.n_events:
        raise UsageError(f"[corpus] manifest: {file} holds no events; check that it is the right file")
    stated, notes = named_recordings(imported.lazy())
    named, more = chosen_recordings(stated, settings)
    notes += more
    require_present(named, roots, settings.max_missing)
    templates = Templates(settings.name_template)
    examiner = Examiner(Path(), "", settings.decode, RecordingNames(templates), True, channel)
    found_recordings = examine(
        named,
        roots,
        examiner,
        workers,
        lambda done, total: show(done, total, "recordings"),
        KeptParts(folders.blocks),
    )
    if not found_recordings.recordings:
        raise UsageError(f"{file}: none of the {len(named)} recordings that it names can be read; see [roots]")
    recordings, unmatched = found_recordings.recordings, list[LeftOut]()
    if metadata_table is not None:
        metadata = manifest_metadata(metadata_table, stated, settings.metadata, templates.names)
        recordings, unmatched = described(recordings, metadata, group), metadata.without_file
        notes += [*metadata.notes, *metadata.without_group(recordings, group)]
    placeable, field_notes, without = with_fields(recordings, templates, {"split.group": group})
    # What a manifest does not name in a recording that it names is not there.
    placeable = [replace(recording, reviewed=True) for recording in placeable]
    labels = parse_label_map(settings.label_map, "corpus.label_map")
    wanted_labels = tuple(label_text(label) for label in settings.labels)
    tables, counts = write_hits(
        imported.lazy(), placeable, Labelling(labels.name, wanted_labels), folders.hits, folders.blocks
    )
    _require_within(file, imported, placeable, counts)
    notes += [
        *found_recordings.notes,
        *field_notes,
        *counts.notes(file.name, wanted_labels),
        *_manifest_notes(file, imported, settings),
    ]
    left_out = [*found_recordings.left_out, *without, *unmatched, *_bad_lines(file, imported)]
    return CorpusIndex(
        recordings=tuple(placeable),
        annotations=annotations_of(annotations_in(tables)).in_order([recording.id for recording in placeable]),
        left_out=tuple(sorted(left_out, key=lambda left_out_file: left_out_file.path)),
        notes=(*notes, *duplicates(placeable)),
        levels={
            recording.id: found_recordings.levels[recording.id]
            for recording in placeable
            if recording.id in found_recordings.levels
        },
    )


def _require_within(file: Path, imported: Imported, recordings: Sequence[Recording], counts: HitCounts) -> None:
    """Refuse a manifest of which most hits begin after the end of their recordings: its times mean something else."""
    if counts.beyond <= counts.labels.total():
        return
    lengths = pl.LazyFrame(
        {
            "recording_id": [recording.id for recording in recordings],
            "length_s": [recording.duration_s for recording in recordings],
        }
    )
    beyond = imported.lazy().join(lengths, on="recording_id").filter(pl.col("onset_s") >= pl.col("length_s"))
    line, path, onset_s, length_s = (
        beyond.sort("line").select("line", "audio_path", "onset_s", "length_s").head(1).collect().row(0)
    )
    total = counts.beyond + counts.labels.total()
    raise UsageError(
        f"[corpus] manifest: {counts.beyond} of {total} hits of {file} begin after the end of their recording (first: "
        f"line {line}, onset_time {onset_s:g}, in {path!r}, which lasts {rounded(length_s)} s); onset_time is in "
        "seconds from the start of the recording: correct it, or the folders in [roots]"
    )


def _manifest_notes(file: Path, imported: Imported, settings: CorpusSettings) -> list[Note]:
    """Return notes on the manifest as a whole: its number of events, and events that are there twice."""
    notes = []
    total = settings.manifest_total
    if total and total != imported.n_events:
        message = f"{imported.n_events} events were read, but corpus.manifest_total is {total}"
        notes.append(Note("manifest_total", file.name, message))
    events = imported.lazy().filter(pl.col("component") <= 0, pl.col("event_id").is_not_null())
    ids = events.select(pl.len().alias("all"), pl.col("event_id").n_unique().alias("different")).collect()
    if repeated := int(ids["all"][0] - ids["different"][0]):
        notes.append(Note("repeated_events", file.name, f"{repeated} events repeat the event_id of an earlier one"))
    whole = pl.col("component") <= 0, (pl.col("pre_s") + pl.col("post_s")) <= 0
    for source, n in (
        imported.lazy().filter(*whole).group_by("source_set").len().collect().sort("source_set").iter_rows()
    ):
        message = f"{n} events of the source have no context (context_ms is 0 and 0), so each may be a whole file"
        notes.append(Note("without_context", source, message))
    return notes


def _bad_lines(file: Path, imported: Imported) -> list[LeftOut]:
    """Return the first bad lines, and how many more there are, as left-out inputs."""
    lines = [LeftOut(f"{file.name}, line {bad_line.line}", bad_line.reason) for bad_line in imported.bad]
    if more := imported.n_bad - len(imported.bad):
        lines.append(LeftOut(f"{file.name}, later lines", f"{more} more lines are no events"))
    return lines
