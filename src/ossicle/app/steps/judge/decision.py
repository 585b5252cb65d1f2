"""Step ``decision``: out-of-fold scores to cross-fitted decisions and the events under them."""

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.artefacts.files import write_json
from ossicle.artefacts.tables import write_table
from ossicle.core.settings import digestible
from ossicle.evaluation.criteria.table import criterion_of
from ossicle.evaluation.fitted_decisions import fit_decisions
from ossicle.evaluation.ground_truth import read_tracks, read_truth
from ossicle.inference.event_tables import events_frame

STEP_VERSION = 2


def run(context: Context) -> None:
    """Fit, and write ``decision.json``, ``events`` (headline), ``events_in_sample`` and the threshold curves."""
    settings = context.project.settings
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    tracks = read_tracks(context.inputs["scores"], truth.ids, settings.postprocess)
    found = fit_decisions(truth, tracks, settings.decision, criterion_of(settings.evaluation))
    for name, events in (("events", found.held_out), ("events_in_sample", found.in_sample)):
        write_table(
            context.out / f"{name}.parquet", events_frame(events), ["recording_id", "start_s", "end_s", "label"]
        )
    write_json(context.out / "decision.json", found.decisions_json())
    write_json(context.out / "threshold_curves.json", found.curves_json())


STEP = Step(
    name="decision",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores"),
    settings=lambda project: {
        "decision": digestible(project.settings.decision),
        "criterion": project.settings.evaluation.criterion,
        "pool": criterion_of(project.settings.evaluation).pool,
        "iou": project.settings.evaluation.iou,
        **postprocess_key(project),
    },
    run=run,
)
