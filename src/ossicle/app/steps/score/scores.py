"""Step ``scores``: every annotated recording scored by the model that never saw its group."""

import time
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import LOCK_WAIT_S, Context, Step, WorkUnits, work_unit_journal
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.blocks import TrackWriter, track_files
from ossicle.artefacts.files import file_digest, write_json
from ossicle.artefacts.journal import Journal
from ossicle.artefacts.lock import work_unit_lock
from ossicle.artefacts.tables import read_table
from ossicle.core.digest import digest
from ossicle.core.errors import SplitError
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.corpus.clips.dataset_folder import model_names
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.inference.batch import write_scores
from ossicle.inference.track_files import track_path

STEP_VERSION = 1
_BATCH = 8


def run(context: Context) -> None:
    """Write one score track a recording, through the engine that ``ossicle predict`` uses.

    Raises SplitError for a leaky split: see :func:`refuse_leaky`.
    """
    refuse_leaky(context.project)
    total, done = len(read_table(context.inputs["dataset"] / "folds.parquet")), 0
    for name in work_unit_names(context.inputs["dataset"]):
        with work_unit_lock(context.out, name, LOCK_WAIT_S):
            done += _score_work_unit(context, name, done, total)


def work_unit_names(dataset: Path) -> tuple[str, ...]:
    """The models that held something out: what one of them scores is a work unit."""
    return tuple(dict.fromkeys(model_names(dataset).values()))


def _run_one(context: Context, name: str) -> None:
    refuse_leaky(context.project)
    mine = [fold for fold, model in model_names(context.inputs["dataset"]).items() if model == name]
    folds = read_table(context.inputs["dataset"] / "folds.parquet")
    _score_work_unit(context, name, 0, len(folds.filter(folds["fold"].is_in(mine))))


def _score_work_unit(context: Context, name: str, before: int, total: int) -> int:
    """Score what the model ``name`` held out; gives the number of recordings, ``before`` and ``total`` are for show."""
    models = model_names(context.inputs["dataset"])
    folds = read_table(context.inputs["dataset"] / "folds.parquet").to_dicts()
    keys = sorted((row["fold"], row["recording_id"]) for row in folds if models[row["fold"]] == name)
    recordings = {one.id: one for one in read_index(context.inputs["corpus"]).recordings}
    predictor, journal = trained_predictor(context, name), work_unit_journal(context.out, name)
    for done, (_, key) in enumerate(keys, start=before + 1):
        began, reused = time.monotonic(), _scored(context.out, journal, key)
        if not reused:
            with TrackWriter(track_path(context.out, key), predictor.labels, predictor.plan.hop_s) as writer:
                write_scores(context.project.audio_folder / recordings[key].path, predictor, writer, _BATCH)
            journal.mark(key, digest=_digest(context.out, key))
        context.log.work_unit("scores", key, "reused" if reused else "computed", time.monotonic() - began)
        context.progress.advance(done, total, "recordings")
    write_json(_done_file(context.out, name), {"recordings": len(keys)})
    return len(keys)


def _done_file(out: Path, name: str) -> Path:
    # A journal is opened by its one writer only: to look whether a work unit is done is for everybody.
    return out / "logs" / f"{name}.done.json"


def refuse_leaky(project: Project) -> None:
    """Raise SplitError for a split in which no recording is out of fold as a whole: there is no headline to be had."""
    split = project.settings.split
    if split.leaky:
        raise SplitError(
            f"[split] strategy = {split.strategy!r} is leaky: it lays clips of one {split.group} on both sides, so no "
            "recording can be scored out of fold, and thresholds, events and figures of events cannot be had from it. "
            "`ossicle run` leaves a bundle that nothing judged; `ossicle dataset optimism` says what it flatters, "
            f'`ossicle benchmark` judges on a corpus of its own; or set strategy = "grouped" in {project.file}'
        )


def _scored(out: Path, journal: Journal, recording_id: str) -> bool:
    record = journal.done(recording_id)
    if record is None or not all(file.exists() for file in track_files(track_path(out, recording_id))):
        return False
    return bool(record["digest"] == _digest(out, recording_id))


def _digest(scores: Path, recording_id: str) -> str:
    return digest([file_digest(file) for file in track_files(track_path(scores, recording_id))])


def audio_digest(corpus: Path) -> str:
    """What of the corpus is read: paths and bytes of the recordings, not their annotations."""
    recordings: list[Recording] = list(read_index(corpus).recordings)
    return digest(sorted([one.id, one.digest] for one in recordings))


STEP = Step(
    name="scores",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training"),
    settings=lambda project: {
        "plan": digestible(project.settings.plan),
        "threads": project.settings.training.threads,
    },
    run=run,
    reads={"corpus": audio_digest},
    work_units=WorkUnits(
        named_by=("dataset",),
        names=lambda inputs: work_unit_names(inputs["dataset"]),
        run=_run_one,
        done=lambda out, name: _done_file(out, name).exists(),
        max_concurrent=15,
    ),
)
