"""The recordings of a manifest that a corpus uses, and what a table says about them.

A recording is named by its source and path here (``slakh/Track1/mix.wav``): two sources may hold the same path.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.corpus.indexing.file_selection import sliver
from ossicle.corpus.indexing.metadata_table import Metadata, MetadataSettings, read_metadata
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.manifest.named_recordings import NamedRecording
from ossicle.corpus.naming.globs import Globs
from ossicle.corpus.notes import Note

FIELDS = ("session", "source", "drummer", "kit")
"""Fields that the events of a manifest give to their recordings."""


def chosen_places(places: Sequence[tuple[str, str]], settings: CorpusSettings) -> set[tuple[str, str]]:
    """Return the recordings that ``include``, ``exclude`` and ``most`` leave, as source and path.

    Parameters
    ----------
    places
        Source and path of all recordings of the manifest; not empty.
    settings
        Globs on the paths of the manifest, and the highest number of recordings.

    Raises
    ------
    UsageError
        No recording is left.
    """
    include, exclude = Globs(settings.include), Globs(settings.exclude)
    chosen = {
        f"{source}/{path}": (source, path)
        for source, path in places
        if (not settings.include or include.match(path) is not None) and exclude.match(path) is None
    }
    if not chosen:
        raise UsageError(
            f"corpus.include = {list(settings.include)} and corpus.exclude = {list(settings.exclude)} leave none of "
            f"the {len(places)} recordings of the manifest, such as {places[0][1]!r}; globs match such paths"
        )
    return {chosen[chosen_path] for chosen_path in (sliver(list(chosen), settings.most) if settings.most else chosen)}


def chosen_recordings(
    named: Sequence[NamedRecording], settings: CorpusSettings
) -> tuple[list[NamedRecording], list[Note]]:
    """Return the recordings that ``include``, ``exclude`` and ``most`` leave, and notes on the others.

    Parameters
    ----------
    named
        All recordings of the manifest.
    settings
        Globs on the paths of the manifest, and the highest number of recordings.

    Raises
    ------
    UsageError
        No recording is left.
    """
    kept_places = chosen_places([(recording.root, recording.path) for recording in named], settings)
    chosen = [recording for recording in named if (recording.root, recording.path) in kept_places]
    notes = []
    if unused := len(named) - len(chosen):
        events = sum(recording.events for recording in named) - sum(recording.events for recording in chosen)
        message = f"{events} events belong to {unused} recordings that are not included; they were not used"
        notes.append(Note("not_chosen", "corpus.include, corpus.exclude, corpus.most", message, events))
    for key in ("include", "exclude"):
        for glob in getattr(settings, key):
            alone = Globs([glob])
            if not any(alone.match(recording.path) for recording in named):
                notes.append(Note("glob_unused", f"corpus.{key}", f"{glob!r} matches no recording of the manifest"))
    return chosen, notes


def place_of(recording: NamedRecording | Recording) -> str:
    """Return the source and path of a recording as one path."""
    return f"{recording.root}/{recording.path}"


def manifest_metadata(
    table: Path, named: Sequence[NamedRecording], settings: MetadataSettings, taken: Collection[str] = ()
) -> Metadata:
    """Read a table with a row for each recording of a manifest, named by its path or by source and path.

    Parameters
    ----------
    table
        The table.
    named
        All recordings of the manifest, also those that are not chosen.
    settings
        The columns of the table.
    taken
        Fields that names give, beside those of the manifest.

    Raises
    ------
    UsageError
        The table is missing, lacks a column, or names no recording.
    FormatError
        A row is bad, or its path is that of several sources.
    """
    return read_metadata(table, [place_of(recording) for recording in named], settings, (*FIELDS, *taken))


def described(recordings: Sequence[Recording], metadata: Metadata, group: str) -> list[Recording]:
    """Return recordings with the fields of their rows; those of the manifest stay, unless the table ``overrides``."""
    by_place = [replace(recording, path=place_of(recording)) for recording in recordings]
    recordings_described = metadata.describe(by_place, group)
    return [
        replace(recording, path=original.path)
        for recording, original in zip(recordings_described, recordings, strict=True)
    ]
