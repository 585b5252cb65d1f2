"""Step ``state_scores``: score the windows of every recording with the head that held it out."""

import numpy as np

from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.score.state_plan import state_plan
from ossicle.app.steps.train.heads.fitted_heads import FittedHeads
from ossicle.artefacts.array_files.blocks import TrackWriter
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import HeadsFolder, StateScoresFolder
from ossicle.core.scores.level_follower import LevelFollower
from ossicle.core.settings import digestible

STEP_VERSION = 1


def run(context: Context) -> None:
    """Write one score track for each recording; row k is the score of window k."""
    # Torch is an optional extra, needed only for actual scoring.
    from ossicle.models.heads.scoring import head_scores, window_scores
    from ossicle.models.predictor import use_threads

    settings = context.project.settings
    use_threads(settings.training.threads)
    dataset, features = context.read(DatasetFolder), context.read(FeaturesFolder)
    output, labels = context.own(StateScoresFolder), dataset.labels
    heads = FittedHeads(context.project, features, context.read(HeadsFolder), len(labels))
    of_fold = dict(zip(dataset.folds["recording_id"], dataset.folds["fold"], strict=True))
    scored_ids = [key for key in features.recording_ids if key in of_fold and features.n_windows(key) > 0]
    done = 0
    plan = state_plan(context.project, features.spec)
    for name in dataset.holding_out:
        head, level = heads.on_features(name), heads.level(name)
        for key in [key for key in scored_ids if dataset.models_by_fold[of_fold[key]] == name]:
            tokens = features.windows(key)
            with TrackWriter(output.track_path(key), labels, features.hop_s) as writer:
                if level is None:
                    for block in head_scores(head, tokens):
                        writer.append(block)
                else:
                    follow = LevelFollower(level, settings.head.level, plan.hop_s, window_scores(head))
                    for window in tokens:
                        writer.append(follow(np.asarray(window, dtype=np.float32))[None])
                writer.finish(duration_s=len(tokens) * features.hop_s)
            done += 1
            context.progress.advance(done, len(scored_ids), "recordings")


STEP = Step(
    name=StateScoresFolder.step,
    version=STEP_VERSION,
    needs=("dataset", "features", "heads"),
    settings=lambda project: {
        "head": digestible(project.settings.head),
        "threads": project.settings.training.threads,
    },
    run=run,
)
