"""Step ``features``: the embeddings of every annotated or examined recording, in shards, by the project's encoder."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.data.feature_backgrounds import groups_of, stretches_without_labels
from ossicle.app.steps.data.store import recordings_digest
from ossicle.app.steps.engine.encoders import encoder_inputs, open_features_encoder
from ossicle.app.steps.engine.shards import damaged_shards, lock_missing, repair_shards, with_progress
from ossicle.app.steps.engine.step import Context, Step, WorkUnits, work_unit_journal
from ossicle.artefacts.features.entries import ShardIndex
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.audio.decoding.versions import decoder_versions
from ossicle.audio.encoders.build import FeatureItem, Opener, ShardJob, build_shard, build_shards, shard_names
from ossicle.audio.encoders.copies import Background
from ossicle.core.digest import digest
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.models.model_kinds import EMBEDDINGS

STEP_VERSION = 2


def run(context: Context) -> None:
    """Build the missing shards in parallel processes, and write what they have in common."""
    output = context.own(FeaturesFolder)
    jobs = _jobs(context.project, context.read(CorpusFolder), context.read(DatasetFolder), output)
    missing = [job for name, job in jobs.items() if not output.has_shard(name)]

    workers, opener = context.project.settings.project.workers, _opener(context.project)
    encoder = opener()
    held = lock_missing(context, output.has_shard)
    shards_made = build_shards(missing, opener if workers > 1 else lambda: encoder, workers, held)
    for name, index in with_progress(context, shards_made, len(jobs) - len(missing), len(jobs)):
        _mark(context.folder, name, index)
    settings = context.project.settings.features
    output.write_summary(encoder.spec, settings.window_s, settings.hop_s, settings.copies, tuple(jobs))


def _run_one(context: Context, name: str) -> None:
    output = context.own(FeaturesFolder)
    job = _jobs(context.project, context.read(CorpusFolder), context.read(DatasetFolder), output)[name]
    _mark(context.folder, name, build_shard(job, _opener(context.project)()))


def _mark(folder: Path, name: str, index: ShardIndex) -> None:
    work_unit_journal(folder, name).mark(name, recordings=len(index.entries), windows=index.windows)


def problems(features: Path) -> dict[str, list[str]]:
    """Return the problems of each damaged shard of a finished artefact, by its name; empty if everything is sound."""
    features_folder = FeaturesFolder(features)
    return damaged_shards(features_folder.shards, features_folder.shard_names, features_folder.copies)


def repair(project: Project, corpus: Path, dataset: Path, features: Path, damaged: Mapping[str, list[str]]) -> None:
    """Build the damaged shards of a finished artefact again, in place, and no others.

    Parameters
    ----------
    project
        The project of the features.
    corpus, dataset, features
        Folders of the artefacts.
    damaged
        The shards, by their names.

    Raises
    ------
    ArtefactError
        The features still differ from what was committed: only a new artefact helps.
    """

    def build() -> Iterator[tuple[str, ShardIndex]]:
        jobs = _jobs(project, CorpusFolder(corpus), DatasetFolder(dataset), FeaturesFolder(features))
        return build_shards([jobs[name] for name in damaged], _opener(project), project.settings.project.workers)

    repair_shards(project, features, build)


def _opener(project: Project) -> Opener:
    settings = project.settings
    return partial(open_features_encoder, settings.encoder.opened, project.folder, settings.head.unfreeze_blocks)


def _jobs(
    project: Project, corpus: CorpusFolder, dataset: DatasetFolder, output: FeaturesFolder
) -> dict[str, ShardJob]:
    """Return the shards by their names, in the order of their recordings."""
    settings, channel, roots = project.settings.features, project.settings.audio.name, project.roots
    by_shard = _by_shard(corpus)
    groups: dict[str, str] = {}
    backgrounds: dict[str, tuple[Background, ...]] = {}
    if settings.copies:
        recordings = {recording.id: recording for recording in read_index(corpus).recordings}
        groups = groups_of(dataset)
        free_by_group = stretches_without_labels(list(recordings.values()), dataset, groups, settings.window_s)
        backgrounds = {
            group: tuple(
                Background(key, roots.file(recordings[key]), start_s, end_s, channel)
                for key, stretches in free.items()
                for start_s, end_s in stretches
            )
            for group, free in free_by_group.items()
        }
    return {
        name: ShardJob(
            output.shards,
            name,
            tuple(
                FeatureItem(recording.id, roots.file(recording), groups.get(recording.id, ""))
                for recording in recordings
            ),
            settings,
            channel,
            backgrounds,
            _clip_hops(project),
        )
        for name, recordings in by_shard.items()
    }


def _clip_hops(project: Project) -> int:
    """Return the hops of a clip of a model that reads the embeddings of clips; 0 for all others."""
    return project.settings.clip_hops if project.settings.kind.reads == EMBEDDINGS else 0


def _by_shard(corpus: CorpusFolder) -> dict[str, list[Recording]]:
    index = read_index(corpus)
    recordings = sorted(
        (recording for recording in index.recordings if recording.reviewed or recording.id in index.partly),
        key=lambda r: r.id,
    )
    by_shard: dict[str, list[Recording]] = {}
    for recording, name in zip(
        recordings, shard_names([recording.duration_s for recording in recordings]), strict=True
    ):
        by_shard.setdefault(name, []).append(recording)
    return by_shard


def _settings(project: Project) -> dict[str, object]:
    features = digestible(project.settings.features)
    if project.settings.features.copies == 0:
        # How copies differ from the recording changes nothing where there are none.
        features.pop("augment")
    return {
        "encoder": digestible(project.settings.encoder.opened),
        "features": features,
        "decoders": decoder_versions(),
        **digestible(project.settings.audio),
        **({"before_blocks": blocks} if (blocks := project.settings.head.unfreeze_blocks) else {}),
        **({"clip_hops": hops} if (hops := _clip_hops(project)) else {}),
    }


def backgrounds_digest(dataset: Path) -> str:
    """Return the digest of what copies depend on: annotations, unknown labels and groups, not folds or clips."""
    folder = DatasetFolder(dataset)
    unknown = file_digest(folder.unknown_file) if folder.unknown_file.exists() else ""
    return digest([file_digest(folder.annotations_file), unknown, sorted(groups_of(folder).items())])


def _not_read(dataset: Path) -> str:
    return ""


def with_features(steps: tuple[Step, ...], project: Project) -> tuple[Step, ...]:
    """Return the steps of a project; its features depend on the annotations only if they have augmented copies.

    A pipeline with the step calls this in ``adapt``, so that a corrected annotation does not encode everything again.
    """
    if project.settings.features.copies:
        return steps
    return tuple(
        replace(step, reads={**step.reads, DatasetFolder.step: _not_read}) if step is STEP else step for step in steps
    )


STEP = Step(
    name=FeaturesFolder.step,
    version=STEP_VERSION,
    needs=(CorpusFolder.step, DatasetFolder.step),
    settings=_settings,
    run=run,
    extra=encoder_inputs,
    reads={CorpusFolder.step: recordings_digest, DatasetFolder.step: backgrounds_digest},
    work_units=WorkUnits(
        named_by=(CorpusFolder.step,),
        names=lambda inputs: tuple(_by_shard(CorpusFolder.among(inputs))),
        run=_run_one,
        done=lambda folder, name: FeaturesFolder(folder).has_shard(name),
        max_concurrent=15,
    ),
)
