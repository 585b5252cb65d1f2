"""Step ``pseudo_scores``, outside the chain: score every unlabelled recording with every model that held something out.

A recording is decoded once for all models. The scores of each model are kept apart, and later code decides which of
them may train which model.
"""

import time
from contextlib import ExitStack
from pathlib import Path

from ossicle.app.steps.data.store import recordings_digest
from ossicle.app.steps.data.unlabelled import INDEX_NAME, audio_folder, sounds_digest
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.train.trained_predictor import trained_predictor
from ossicle.artefacts.array_files.blocks import TrackWriter, track_files
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.artefacts.typed.scores import PseudoScoresFolder
from ossicle.core.digest import digest
from ossicle.core.errors import AudioError
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.pseudo_labels.windows import usable
from ossicle.inference.ensembles.together import write_together

STEP_VERSION = 1
_BATCH = 8


def run(context: Context) -> None:
    """Score the usable recordings; an interrupted run continues after its finished recordings."""
    folder, output = audio_folder(context.project), context.own(PseudoScoresFolder)
    names = context.read(DatasetFolder).holding_out
    predictors = [trained_predictor(context, name) for name in names]
    recordings = usable(read_index(context.read(UnlabelledFolder)), read_index(context.read(CorpusFolder))).recordings
    left_out: dict[str, str] = {}
    for done, recording in enumerate(recordings, start=1):
        began, paths = time.monotonic(), [output.track_path(name, recording.id) for name in names]
        record = context.journal.done(recording.id)
        reused = record is not None and record["digest"] == _digest(paths)
        try:
            if not reused:
                with ExitStack() as held:
                    sinks = [
                        held.enter_context(TrackWriter(path, model.labels, model.plan.hop_s))
                        for path, model in zip(paths, predictors, strict=True)
                    ]
                    write_together(folder / recording.path, predictors, sinks, _BATCH)
                context.journal.mark(recording.id, digest=_digest(paths))
        except AudioError as problem:
            left_out[recording.path] = str(problem).removeprefix(f"{folder / recording.path}: ")
        context.log.work_unit(
            "pseudo_scores", recording.id, "reused" if reused else "computed", time.monotonic() - began
        )
        context.progress.advance(done, len(recordings), "unlabelled recordings")
    output.write_left_out(left_out)


def _digest(paths: list[Path]) -> str:
    files = [file for path in paths for file in track_files(path)]
    return digest([file_digest(file) for file in files]) if all(file.exists() for file in files) else ""


STEP = Step(
    name=PseudoScoresFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training", INDEX_NAME),
    settings=lambda project: {
        "plan": digestible(project.settings.plan),
        "threads": project.settings.training.threads,
    },
    run=run,
    reads={"corpus": recordings_digest, INDEX_NAME: sounds_digest},
)
