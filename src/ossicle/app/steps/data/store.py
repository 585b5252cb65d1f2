"""Step ``store``: recordings decoded at the model's rate, and the list of recordings that are read from their files."""

from collections.abc import Callable
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.engine.fingerprint_keys import sound_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.shelf import Shelf
from ossicle.artefacts.typed.index import IndexFolder
from ossicle.artefacts.typed.shards.store import StoreFolder
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.core.digest import digest
from ossicle.core.errors import AudioError
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index

STEP_VERSION = 3
_MOST_NAMED = 5


def run(context: Context) -> None:
    """Build the store of every annotated or examined recording; existing shards are kept."""
    done = 0

    def shard_done(name: str) -> None:
        nonlocal done
        done += 1
        context.progress.advance(done, 0, f"shard {name}")

    _build(context.project, context.inputs["corpus"], context.folder, shard_done)


def repair(project: Project, corpus: Path, store: Path, progress: Callable[[str], None]) -> None:
    """Rebuild the damaged shards of a finished store in place.

    Parameters
    ----------
    project
        The project of the store.
    corpus
        Folder of the corpus artefact.
    store
        Folder of the store artefact.
    progress
        Called with a message for every shard.

    Raises
    ------
    ArtefactError
        The store still differs from what was committed: only a new store helps.
    """
    with writing(project.data_root):
        _build(project, corpus, store, progress)
        Shelf(project.data_root).verify(store)


def _build(project: Project, corpus: Path, folder: Path, progress: Callable[[str], None]) -> None:
    from ossicle.audio.store.build import build_store
    from ossicle.audio.store.entries import StoreItem

    recordings = _recordings(corpus, every=project.settings.segments.keep_audio)
    # Headers may be wrong: the index knows nothing certain of recordings that it did not decode.
    known = project.settings.corpus.decode
    entries = build_store(
        [
            StoreItem(
                recording_id=recording.id,
                path=project.roots.file(recording),
                digest=recording.digest,
                rate=recording.rate if known else 0,
                n_samples=recording.n_samples,
                status=recording.status,
                channel=project.settings.audio.name,
                root=recording.root,
                below_root=recording.path,
            )
            for recording in recordings
        ],
        folder,
        project.settings.frontend.rate,
        project.settings.store,
        audio=project.roots,
        workers=project.settings.project.workers,
        progress=progress,
    )
    if lost := [entry for entry in entries if entry.status == "left_out"]:
        # The index decodes the recordings that it lists, unless `[corpus] decode` is off and headers are trusted.
        paths = {recording.id: recording.path for recording in recordings}
        named = "; ".join(f"{paths[entry.recording_id]}: {entry.reason}" for entry in lost[:_MOST_NAMED])
        remedy = "Set [corpus] decode = true: recordings that cannot be decoded are then found first and skipped"
        if known:
            remedy = f'[store] decoder = "{project.settings.store.decoder}" cannot read every file that "auto" can read'
        raise AudioError(
            f"{named}{f'; and {len(lost) - _MOST_NAMED} more' * (len(lost) > _MOST_NAMED)}: annotated, but cannot be "
            f"decoded. {remedy}"
        )


def recordings_digest(corpus: Path) -> str:
    """Return the digest of the recordings alone, so that a changed annotation does not decode them again."""
    return digest(sorted(sound_key(recording) for recording in _recordings(corpus)))


def _recordings(corpus: Path, *, every: bool = False) -> list[Recording]:
    """Return the recordings that were annotated or examined, or every one that decodes."""
    index = read_index(IndexFolder(corpus))
    if every:
        return [recording for recording in index.recordings if recording.status != "left_out"]
    return [recording for recording in index.recordings if recording.reviewed or recording.id in index.partly]


def _settings(project: Project) -> dict[str, object]:
    store = project.settings.store
    return {
        "rate": project.settings.frontend.rate,
        "decoders": decoder_versions(store.decoder),
        "store": digestible(store),
        **digestible(project.settings.audio),
    }


STEP = Step(
    name=StoreFolder.step,
    version=STEP_VERSION,
    needs=("corpus",),
    settings=_settings,
    run=run,
    reads={"corpus": recordings_digest},
    # The content is the samples and the list of files.
    logs=StoreFolder.LOGS,
)
