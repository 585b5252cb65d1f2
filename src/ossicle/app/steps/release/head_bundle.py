"""Step ``bundle`` of a project with an encoder: a head on the embeddings of clips, in place of a network."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context
from ossicle.app.steps.release.bundle import STEP as NETWORK
from ossicle.app.steps.release.bundle import ExportedModel, write_judged
from ossicle.app.steps.release.head_files import PARITY_WINDOWS, head_files
from ossicle.app.steps.train.heads.encoded_clips import clip_grid
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.bundle.entries.encoder import HEAD
from ossicle.core.settings import digestible

STEP_VERSION = 1


def run(context: Context) -> None:
    """Export the head, compare it with torch on the first clips of some recordings, and write the bundle."""
    from ossicle.evaluation.ground_truth import read_evaluated_truth

    # Torch is an optional extra, needed only for the export.
    from ossicle.models.heads.head import load_head

    settings, features = context.project.settings, context.read(FeaturesFolder)
    truth = read_evaluated_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    grid = clip_grid(context.project, features.spec)
    clips: list[NDArray[np.float32]] = []
    for key in features.recording_ids[:PARITY_WINDOWS]:
        if grid.n_clips(features.n_windows(key)):
            windows = np.asarray(features.windows(key)[: grid.n_windows]).astype(np.float32)
            clips.append(windows.reshape(-1, windows.shape[2]))
    context.progress.advance(0, 3, "exporting")
    weights = context.read(TrainingFolder).run(FINAL).weights
    head = load_head(weights, settings.head, features.spec.dim, len(truth.labels))
    files, difference = head_files(head, weights, np.stack(clips), len(truth.labels))
    context.progress.advance(2, 3, "writing")
    model = {"head": digestible(settings.head)}
    exported_model = ExportedModel(files, {HEAD: difference}, grid.plan, model, features.spec, grid.windows)
    write_judged(context, truth, exported_model)


def _settings(project: Project) -> Mapping[str, Any]:
    settings = project.settings
    return {**NETWORK.settings(project), "head": digestible(settings.head), "clip_hops": settings.clip_hops}


STEP = replace(
    NETWORK,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "features", *NETWORK.needs[2:]),
    settings=_settings,
    run=run,
)
