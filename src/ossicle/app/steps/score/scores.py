"""Step ``scores``: score every annotated recording with the model that held out its group."""

import time
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.fingerprint_keys import sound_key
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context, Step, WorkUnits, work_unit_journal
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.array_files.blocks import TrackWriter
from ossicle.artefacts.locks.lock import work_unit_lock
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, IndexFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.core.digest import digest
from ossicle.core.errors import SplitError
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index

STEP_VERSION = 1
_BATCH = 8


def run(context: Context) -> None:
    """Write one score track for each recording, with the engine that ``ossicle predict`` uses.

    Raises SplitError for a leaky split: see :func:`refuse_leaky`.
    """
    refuse_leaky(context.project)
    dataset, done = context.read(DatasetFolder), 0
    total = len(dataset.folds)
    for name in dataset.holding_out:
        with work_unit_lock(context.folder, name, LOCK_WAIT_S):
            done += _score_work_unit(context, name, done, total)


def _run_one(context: Context, name: str) -> None:
    refuse_leaky(context.project)
    dataset = context.read(DatasetFolder)
    _score_work_unit(context, name, 0, len(dataset.folds.filter(dataset.folds["fold"].is_in(dataset.models[name]))))


def _score_work_unit(context: Context, name: str, before: int, total: int) -> int:
    """Score what the model ``name`` held out and return the number of recordings.

    ``before`` (recordings scored earlier) and ``total`` are for progress only.
    """
    from ossicle.inference.batch import write_scores

    dataset, output = context.read(DatasetFolder), context.own(ScoresFolder)
    models = dataset.models_by_fold
    keys = sorted((row["fold"], row["recording_id"]) for row in dataset.folds.to_dicts() if models[row["fold"]] == name)
    recordings = {recording.id: recording for recording in read_index(context.read(CorpusFolder)).recordings}
    predictor, journal = trained_predictor(context, name), work_unit_journal(context.folder, name)
    for done, (_, key) in enumerate(keys, start=before + 1):
        began, record = time.monotonic(), journal.done(key)
        reused = record is not None and record["digest"] == output.track_digest(key)
        if not reused:
            with TrackWriter(output.track_path(key), predictor.labels, predictor.plan.hop_s) as writer:
                write_scores(context.project.roots.file(recordings[key]), predictor, writer, _BATCH)
            journal.mark(key, digest=output.track_digest(key))
        context.log.work_unit("scores", key, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, total, "recordings")
    output.write_done(name, len(keys))
    return len(keys)


def refuse_leaky(project: Project) -> None:
    """Raise SplitError for a split that holds out no recording as a whole: it can have no headline figure."""
    split = project.settings.split
    if not split.kind.judges_recordings:
        raise SplitError(
            f"[split] strategy = {split.strategy!r} {split.kind.unjudged_because(split.group)}, so no recording can "
            "be scored out of fold, and there are no thresholds, events or event figures. `ossicle run` makes a "
            "bundle without an evaluation, `ossicle dataset optimism` measures how much such a split overrates a "
            'model, and `ossicle benchmark` evaluates on a separate corpus; or set strategy = "grouped" in '
            f"{project.file}"
        )


def audio_digest(corpus: Path) -> str:
    """Return the digest of what is read of the corpus: paths and bytes of the recordings, not their annotations."""
    recordings: list[Recording] = list(read_index(IndexFolder(corpus)).recordings)
    return digest(sorted(sound_key(recording) for recording in recordings))


STEP = Step(
    name=ScoresFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training"),
    settings=lambda project: {
        "plan": digestible(project.settings.plan),
        "threads": project.settings.training.threads,
    },
    run=run,
    reads={"corpus": audio_digest},
    work_units=WorkUnits(
        # The recordings that one model scores are one work unit.
        named_by=(DatasetFolder.step,),
        names=lambda inputs: DatasetFolder.among(inputs).holding_out,
        run=_run_one,
        done=lambda folder, name: ScoresFolder(folder).is_done(name),
        max_concurrent=15,
    ),
)
