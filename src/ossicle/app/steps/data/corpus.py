"""Step ``corpus``: index folders of recordings and annotations, and check their health."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ossicle.app.project.file_times import file_state
from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.filesystem.walking import walk
from ossicle.artefacts.locks.lock import LOCK_FILE
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.corpus_index import STEP_VERSION, CorpusIndex, index_corpus
from ossicle.corpus.indexing.examining.probing import Progress
from ossicle.corpus.indexing.index_storage import write_index
from ossicle.corpus.naming.file_listing import listing_below
from ossicle.corpus.review.rounds import FOLDER, read_round, round_files, with_reviews

_OWN = (".ossicle-", LOCK_FILE)
INDEXED = "indexed"
"""The work unit of the journal after which only what an interrupted index continues from remains to be removed."""


def run(context: Context) -> None:
    """Index the corpus and write its health next to it."""
    from ossicle.corpus.health.report import health

    if context.journal.done(INDEXED) is not None:
        remove_folder(context.own(CorpusFolder).unfinished_folder)
        return
    settings, output = context.project.settings, context.own(CorpusFolder)
    if context.project.manifest is None:
        index = index_of(
            context.project,
            lambda done, total: context.progress.advance(done, total, "recordings"),
            unfinished=output.unfinished_folder,
        )
    else:
        index = _manifest_index(context, context.project.manifest)
    write_index(index, output)
    report = health(index, rate=settings.frontend.rate, group=settings.split.group)
    output.write_health(report.to_json())
    if output.unfinished_folder.is_dir():
        # A run that is killed from here on has nothing to index again.
        context.journal.mark(INDEXED)
        remove_folder(output.unfinished_folder)


def _manifest_index(context: Context, file: Path) -> CorpusIndex:
    """Return the index of a project's manifest, with its reviews; its hits are written into the step's folder."""
    from ossicle.corpus.manifest.manifest_index import ImportFolders, index_manifest

    project, output = context.project, context.own(CorpusFolder)
    settings = project.settings
    index = index_manifest(
        file,
        project.roots,
        settings.corpus,
        ImportFolders(output.unfinished_folder, output.hits_folder),
        group=settings.split.group,
        workers=settings.project.workers,
        progress=context.progress.advance,
        channel=settings.audio.name,
        metadata_table=project.metadata_table,
    )
    rounds = [read_round(file) for file in round_files(project.folder / FOLDER)]
    return with_reviews(index, rounds, settings.corpus.labels) if rounds else index


def index_of(
    project: Project, progress: Progress | None = None, *, decode: bool = True, unfinished: Path | None = None
) -> CorpusIndex:
    """Return the index of a project's recordings and annotations, with its reviews.

    Parameters
    ----------
    project
        The project.
    progress
        Gets the number of finished and of all recordings.
    decode
        Whether to decode recordings, if the project asks for it; False reads their headers only.
    unfinished
        A folder from which an interrupted index continues; the caller removes it. None continues nothing.
    """
    settings = project.settings
    rounds = [read_round(file) for file in round_files(project.folder / FOLDER)]
    index = index_corpus(
        project.audio_folder,
        project.annotation_folder,
        settings.corpus if decode else replace(settings.corpus, decode=False, from_sound=False),
        group=settings.split.group,
        workers=settings.project.workers,
        progress=progress,
        metadata_table=project.metadata_table,
        # Reviews belong to a recording by its digest.
        hashed=decode or bool(rounds),
        channel=settings.audio.name,
        unfinished=unfinished,
    )
    return with_reviews(index, rounds, settings.corpus.labels) if rounds else index


def listing(project: Project) -> Mapping[str, str]:
    """Return digests of the files by name, size and time, of metadata and of reviews: any edit triggers a new index."""
    if project.manifest is not None:
        return _manifest_listing(project, project.manifest)
    if not project.audio_folder.is_dir():
        raise UsageError(
            f"[corpus] audio: the folder {project.audio_folder} does not exist; correct the path in {project.file}"
        )
    digests = {"audio": folder_listing(project.audio_folder, SUFFIXES)}
    folder = project.annotation_folder
    if folder is not None:
        if not folder.exists():
            raise UsageError(
                f"[corpus] annotations: the folder {folder} does not exist; correct the path in {project.file}, "
                "or leave it empty"
            )
        if not (folder.is_dir() or folder.is_file()):
            raise UsageError(
                f"[corpus] annotations: {folder} is a pipe or a device, not a folder or a file; correct the path in "
                f"{project.file}"
            )
        digests["annotations"] = folder_listing(folder, None)
    return {**digests, **_added_listing(project)}


def _manifest_listing(project: Project, file: Path) -> Mapping[str, str]:
    """Return digests of a manifest and of the recordings below all roots, whichever folder of a root holds them."""
    if not file.is_file():
        raise UsageError(
            f"[corpus] manifest: {file} does not exist or is not a file; correct the path in {project.file}"
        )
    digests = {"manifest": folder_listing(file, None)}
    for root, folders in project.roots.all_folders().items():
        states: dict[str, tuple[int, int]] = {}
        for folder in folders:
            for path in listing_below(folder, SUFFIXES).files if folder.is_dir() else ():
                states.setdefault(path, file_state(folder / path))
        digests[f"root {root}" if root else "audio"] = digest(
            [[os.fsencode(path).hex(), *state] for path, state in sorted(states.items())]
        )
    return {**digests, **_added_listing(project)}


def _added_listing(project: Project) -> Mapping[str, str]:
    """Return digests of the table of metadata and of review rounds, where a project has them."""
    digests = {}
    if (table := project.metadata_table) is not None:
        if not table.is_file():
            raise UsageError(
                f"[corpus.metadata] table: {table} is not a file; correct the path in {project.file}, or leave it empty"
            )
        digests["metadata"] = file_digest(table)
    if rounds := round_files(project.folder / FOLDER):
        digests["reviews"] = digest([[file.name, file_digest(file)] for file in rounds])
    return digests


def folder_listing(folder: Path, suffixes: frozenset[str] | None) -> str:
    """Return the digest of a folder's files (or one file) by name, size and time; ``suffixes`` None takes all files.

    Ossicle's own files are left out: records of transfers lie in a folder that was copied, and not in the original.
    """
    if not folder.is_dir():
        paths = [folder.name]
        folder = folder.parent
    elif suffixes is None:
        every = (os.path.relpath(base / name, folder) for base, _, names in walk(folder) for name in names)
        paths = sorted(path for path in every if not any(part.startswith(_OWN) for part in Path(path).parts))
    else:
        paths = list(listing_below(folder, suffixes).files)
    return digest([[os.fsencode(path).hex(), *file_state(folder / path)] for path in paths])


STEP = Step(
    name=CorpusFolder.step,
    version=STEP_VERSION,
    needs=(),
    settings=lambda project: {
        "corpus": digestible(project.settings.corpus),
        "group": project.settings.split.group,
        "rate": project.settings.frontend.rate,
        "decoders": decoder_versions(),
        # Words for on and off were compared with one word only before.
        **({"state_words": 1} if project.settings.corpus.label_fields else {}),
        **digestible(project.settings.audio),
    },
    run=run,
    extra=listing,
    # The health report says which calls lie beyond the band of this rate.
    only_reported=("rate",),
)
