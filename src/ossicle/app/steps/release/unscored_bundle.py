"""Step ``bundle`` of a leaky split: the model trained on all recordings, with decisions that were not fitted.

If clips of one recording are on both sides of the split, there are no out-of-fold scores to fit or evaluate a
threshold. Such a bundle is for ``ossicle benchmark``, which evaluates it on a separate corpus. The bundle records in
its split what leaks, and holds no figures.
"""

from dataclasses import replace

from ossicle.app.steps.engine.step import Context
from ossicle.app.steps.release.bundle import STEP as JUDGED
from ossicle.app.steps.release.bundle import exported, origin
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.format import write_bundle
from ossicle.core.decisions.decision import Decision
from ossicle.core.settings import digestible
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.inference.decisions.grid import DecisionGrid

STEP_VERSION = 1
_MIDDLE = 0.5


def run(context: Context) -> None:
    """Export, check parity on real sound, and write the bundle."""
    settings, dataset = context.project.settings, context.read(DatasetFolder)
    clips, labels = dataset.clips, dataset.labels
    recordings = {recording.id: recording for recording in read_index(context.read(CorpusFolder)).recordings}
    model = exported(context, labels, recordings[clips[0].recording_id])
    context.progress.advance(2, 3, "writing")
    write_bundle(
        context.own(BundleFolder).bundle,
        BundleDescription(
            name=settings.project.name,
            labels=labels,
            plan=model.plan,
            front=settings.frontend,
            decisions=dict.fromkeys(labels, unfitted(settings.decision)),
            provenance={
                **origin(context),
                "recordings": len({clip.recording_id for clip in clips}),
                "annotations": sum(clip.role == "target" for clip in clips),
                "parity": model.parity,
            },
            split={
                "strategy": dataset.split["strategy"],
                "leaky": dataset.split["leaky"],
                "group": settings.split.group,
                "n_groups": len({clip.group for clip in clips}),
                "decision": "from the settings, fitted on nothing",
            },
            model=model.model,
            pool=settings.evaluation.applied_pool,
            postprocess=settings.postprocess,
        ),
        files=model.files,
        replace=True,
    )


def unfitted(grid: DecisionGrid) -> Decision:
    """Return the simplest decision of the grid, with the threshold nearest to one half."""
    return min(grid.decisions(), key=lambda decision: abs(decision.on - _MIDDLE))


STEP = replace(
    JUDGED,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training"),
    settings=lambda project: {**JUDGED.settings(project), "leaky": digestible(project.settings.decision)},
    run=run,
)
