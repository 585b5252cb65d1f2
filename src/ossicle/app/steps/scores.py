"""Step ``scores``: every annotated recording scored by the model that never saw its group."""

import time
from pathlib import Path

from ossicle.app.project.load import Project
from ossicle.app.steps.step import Context, Step
from ossicle.app.steps.training import labels_of, model_names
from ossicle.artefacts.blocks import TrackWriter, track_files
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.tables import read_table
from ossicle.core.digest import digest
from ossicle.core.errors import SplitError
from ossicle.core.records import Recording
from ossicle.core.settings import digestible
from ossicle.corpus.index_files import read_index
from ossicle.inference.batch import write_scores

STEP_VERSION = 1
_BATCH = 8


def run(context: Context) -> None:
    """Write one score track a recording, through the engine that ``ossicle predict`` uses.

    Raises SplitError for a leaky split: see :func:`refuse_leaky`.
    """
    refuse_leaky(context.project)
    # Torch is an optional extra, needed by this step only when it really runs.
    from ossicle.models.predictor import load_predictor, use_threads
    from ossicle.training.runfolder import RunFolder

    project = context.project
    settings = project.settings
    use_threads(settings.training.threads)
    folds = read_table(context.inputs["dataset"] / "folds.parquet")
    recordings = {one.id: one for one in read_index(context.inputs["corpus"]).recordings}
    labels = labels_of(context.inputs["dataset"])
    names = model_names(context.inputs["dataset"])
    done = 0
    for fold in sorted(set(folds["fold"].to_list())):
        weights = RunFolder(context.inputs["training"] / names[fold]).weights
        predictor = load_predictor(weights, settings.model, labels, settings.plan, settings.frontend)
        for key in sorted(folds.filter(folds["fold"] == fold)["recording_id"].to_list()):
            began, reused = time.monotonic(), _scored(context, key)
            if not reused:
                with TrackWriter(track_path(context.out, key), labels, settings.plan.hop_s) as writer:
                    write_scores(project.audio_folder / recordings[key].path, predictor, writer, _BATCH)
                context.journal.mark(key, digest=_digest(context.out, key))
            context.log.unit("scores", key, "reused" if reused else "computed", time.monotonic() - began)
            done += 1
            context.progress.advance(done, len(folds), "recordings")


def refuse_leaky(project: Project) -> None:
    """Raise SplitError for a split in which no recording is out of fold as a whole: there is no headline to be had."""
    split = project.settings.split
    if split.leaky:
        raise SplitError(
            f"[split] strategy = {split.strategy!r} is leaky: it lays clips of one {split.group} on both sides, so no "
            "recording can be scored out of fold, and events, thresholds, figures and a bundle cannot be had from it. "
            "Train with `ossicle run --until training`, see `ossicle dataset optimism`, judge the model on a corpus of "
            f'its own with `ossicle benchmark`, or set strategy = "grouped" in {project.file}'
        )


def track_path(scores: Path, recording_id: str) -> Path:
    """Where the score track of a recording lies in the artefact ``scores``."""
    return scores / "tracks" / recording_id


def _scored(context: Context, recording_id: str) -> bool:
    record = context.journal.done(recording_id)
    if record is None or not all(file.exists() for file in track_files(track_path(context.out, recording_id))):
        return False
    return bool(record["digest"] == _digest(context.out, recording_id))


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
)
