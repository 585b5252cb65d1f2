"""Steps outside the chain: list and decode the unlabelled recordings of ``[pseudo]`` like those of the corpus.

If rounds of pseudo-labels are used for training, these steps come before it in the chain (:func:`taught_chain`).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.data.corpus import folder_listing
from ossicle.app.steps.data.store import recordings_digest
from ossicle.app.steps.engine.fingerprint_keys import sound_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.filesystem.changes import remove_folder
from ossicle.artefacts.typed.index import UnlabelledFolder
from ossicle.artefacts.typed.shards.store import UnlabelledStoreFolder
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.probe import SUFFIXES
from ossicle.core.digest import digest
from ossicle.core.errors import UsageError
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.corpus_index import STEP_VERSION as INDEX_VERSION
from ossicle.corpus.indexing.corpus_index import index_corpus
from ossicle.corpus.indexing.index_storage import read_index, write_index
from ossicle.corpus.indexing.settings import CorpusSettings
from ossicle.corpus.naming.name_templates import TemplateTexts
from ossicle.corpus.pseudo_labels.rounds import FOLDER, chosen_rounds
from ossicle.corpus.pseudo_labels.settings import ROOT
from ossicle.corpus.splits.folds import BUILT_IN_GROUPS

INDEX_NAME, STORE_NAME = UnlabelledFolder.step, UnlabelledStoreFolder.step
STORE_VERSION = 1


def audio_folder(project: Project) -> Path:
    """Return the folder of unlabelled recordings; raises UsageError if none is named or it does not exist."""
    named = project.settings.pseudo.audio
    if not named:
        raise UsageError(f"there is nothing to label: set a folder of recordings in [pseudo] audio of {project.file}")
    folder = project.folder / named
    if not folder.is_dir():
        raise UsageError(f"[pseudo] audio: the folder {folder} does not exist; correct the path in {project.file}")
    return folder


def group_field(project: Project) -> str:
    """Return the field that groups the unlabelled recordings."""
    return project.settings.pseudo.group or project.settings.split.group


def teaching_rounds(project: Project) -> list[Path]:
    """Return the rounds of pseudo-labels that training uses under the settings, the latest first.

    A leaky split uses none: it puts clips of one recording on both sides, so any model that labels recordings has
    learned from held-out clips.
    """
    if not project.settings.split.kind.judges_recordings:
        return []
    return chosen_rounds(project.folder / FOLDER, project.settings.pseudo)


def taught_chain(steps: tuple[Step, ...], project: Project, trained: str) -> tuple[Step, ...]:
    """Return the steps, with the unlabelled recordings before the step ``trained`` if it uses pseudo-labels."""
    if not teaching_rounds(project):
        return steps
    chain: list[Step] = []
    for step in steps:
        if step.name == trained:
            # Recordings that have labels by now: their pseudo-labels are not used.
            needs, reads = (*step.needs, "corpus", INDEX_NAME, STORE_NAME), {**step.reads, "corpus": recordings_digest}
            chain += [INDEX, STORE, replace(step, needs=needs, reads=reads)]
        else:
            chain.append(step)
    return tuple(chain)


def index(context: Context) -> None:
    """List the unlabelled recordings and decode each once; none has annotations."""
    project, pseudo, group = context.project, context.project.settings.pseudo, group_field(context.project)
    settings = CorpusSettings(
        audio=pseudo.audio,
        root=ROOT,
        include=pseudo.include,
        exclude=pseudo.exclude,
        name_template=_template(project),
    )
    try:
        corpus_index = index_corpus(
            audio_folder(project),
            None,
            settings,
            group=group,
            workers=project.settings.project.workers,
            progress=lambda done, total: context.progress.advance(done, total, "unlabelled recordings"),
            channel=project.settings.audio.name,
            unfinished=context.own(UnlabelledFolder).unfinished_folder,
        )
    except UsageError as problem:
        remedy = (
            ""
            if group in BUILT_IN_GROUPS
            else f'; if they share no {group} with the labelled recordings, set [pseudo] group = "recording"'
        )
        raise UsageError(f"unlabelled recordings, [pseudo]: {problem}{remedy}") from None
    write_index(corpus_index, context.own(UnlabelledFolder))
    remove_folder(context.own(UnlabelledFolder).unfinished_folder)


def _template(project: Project) -> TemplateTexts:
    return project.settings.pseudo.name_template or project.settings.corpus.name_template


def _listing(project: Project) -> Mapping[str, str]:
    return {"audio": folder_listing(audio_folder(project), SUFFIXES)}


INDEX = Step(
    name=INDEX_NAME,
    version=INDEX_VERSION,
    needs=(),
    settings=lambda project: {
        "include": project.settings.pseudo.include,
        "exclude": project.settings.pseudo.exclude,
        "name_template": _template(project),
        "group": group_field(project),
        "decoders": decoder_versions(),
        **digestible(project.settings.audio),
    },
    run=index,
    extra=_listing,
)


def store(context: Context) -> None:
    """Decode the unlabelled recordings at the model's rate; the training reports those that fail here."""
    from ossicle.audio.store.build import build_store
    from ossicle.audio.store.entries import StoreItem

    project, folder = context.project, audio_folder(context.project)
    done = 0

    def shard_done(name: str) -> None:
        nonlocal done
        done += 1
        context.progress.advance(done, 0, f"shard {name}")

    recordings = read_index(context.read(UnlabelledFolder)).recordings
    build_store(
        [
            StoreItem(recording.id, folder / recording.path, recording.digest, channel=project.settings.audio.name)
            for recording in recordings
        ],
        context.folder,
        project.settings.frontend.rate,
        workers=project.settings.project.workers,
        progress=shard_done,
    )


def sounds_digest(unlabelled: Path) -> str:
    """Return the digest of what is decoded and scored: ids and bytes of the recordings."""
    return digest(sorted(sound_key(recording) for recording in read_index(UnlabelledFolder(unlabelled)).recordings))


STORE = Step(
    name=STORE_NAME,
    version=STORE_VERSION,
    needs=(INDEX_NAME,),
    settings=lambda project: {
        "rate": project.settings.frontend.rate,
        "decoders": decoder_versions(),
        **digestible(project.settings.audio),
    },
    run=store,
    reads={INDEX_NAME: sounds_digest},
    logs=UnlabelledStoreFolder.LOGS,
)
