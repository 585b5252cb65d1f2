"""Step ``bundle`` of a leaky split: the model trained on everything, with decisions that were fitted on nothing.

Where clips of one recording lie on both sides there are no out-of-fold scores to fit a threshold on, nor to judge one
by. Such a bundle is for ``ossicle benchmark``, which judges it on a corpus of its own; it says in its split what leaks,
and holds no figure.
"""

from dataclasses import replace

from ossicle.app.steps.engine.step import Context
from ossicle.app.steps.release.bundle import FOLDER, exported, origin
from ossicle.app.steps.release.bundle import STEP as JUDGED
from ossicle.artefacts.files import read_json
from ossicle.artefacts.tables import read_table
from ossicle.bundle.format import write_bundle
from ossicle.core.decision import Decision
from ossicle.core.settings import digestible
from ossicle.corpus.clips.dataset_folder import labels_of
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.tables import clips_of
from ossicle.evaluation.criteria.table import criterion_of
from ossicle.inference.decisions.grid import DecisionGrid

STEP_VERSION = 1
_MIDDLE = 0.5


def run(context: Context) -> None:
    """Export, prove parity on real sound, and write the bundle."""
    settings, dataset = context.project.settings, context.inputs["dataset"]
    clips, labels = clips_of(read_table(dataset / "clips.parquet")), labels_of(dataset)
    paths = {one.id: one.path for one in read_index(context.inputs["corpus"]).recordings}
    files, parity = exported(context, labels, paths[clips[0].recording_id])
    context.progress.advance(2, 3, "writing")
    told = read_json(dataset / "split.json")
    write_bundle(
        context.out / FOLDER,
        name=settings.project.name,
        labels=labels,
        plan=settings.plan,
        front=settings.frontend,
        decisions=dict.fromkeys(labels, unfitted(settings.decision)),
        provenance={
            **origin(context),
            "recordings": len({one.recording_id for one in clips}),
            "annotations": sum(one.role == "target" for one in clips),
            "parity": parity,
        },
        metrics={},
        split={
            "strategy": told["strategy"],
            "leaky": told["leaky"],
            "group": settings.split.group,
            "n_groups": len({one.group for one in clips}),
            "decision": "from the settings, fitted on nothing",
        },
        model=digestible(settings.model),
        files=files,
        pool=criterion_of(settings.evaluation).pool,
        postprocess=settings.postprocess,
        replace=True,
    )


def unfitted(grid: DecisionGrid) -> Decision:
    """The simplest decision of the grid, with the threshold nearest to one half."""
    return min(grid.decisions(), key=lambda one: abs(one.on - _MIDDLE))


STEP = replace(
    JUDGED,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "training"),
    settings=lambda project: {**JUDGED.settings(project), "leaky": digestible(project.settings.decision)},
    run=run,
)
