"""Step ``evaluation``: events against annotations, out of fold, with intervals; ``metrics.json``."""

from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.calibration import CALIBRATION
from ossicle.app.steps.judge.second_stage import VERDICT
from ossicle.artefacts.files import read_json, write_json
from ossicle.artefacts.tables import read_table
from ossicle.core.settings import digestible
from ossicle.core.tracks import Event
from ossicle.evaluation.criteria.criterion import JudgedRun
from ossicle.evaluation.criteria.table import criterion_of
from ossicle.evaluation.ground_truth import Truth, read_truth
from ossicle.evaluation.run_figures import known_events, run_figures
from ossicle.inference.event_tables import events_of

STEP_VERSION = 3


def run(context: Context) -> None:
    """Write ``metrics.json``."""
    settings = context.project.settings
    truth = read_truth(context.inputs["corpus"], context.inputs["dataset"])
    write_json(
        context.out / "metrics.json",
        run_figures(
            judged_run(context, truth),
            read_events(context, "events_in_sample", truth),
            criterion_of(settings.evaluation),
            group=settings.split.group,
            seed=settings.training.seed,
            postprocess=postprocess_key(context.project),
            second=read_json(context.inputs["second_stage"] / VERDICT),
            calibrated=read_json(context.inputs["calibration"] / CALIBRATION),
        ),
    )


def judged_run(context: Context, truth: Truth) -> JudgedRun:
    """Return the held-out events of the whole detector and the folder of its scores, with their truth."""
    settings = context.project.settings
    return JudgedRun(
        truth,
        read_events(context, "events", truth),
        context.inputs["scores"],
        settings.postprocess,
        settings.plan.hop_s,
        settings.training.apart_frames,
    )


def read_events(context: Context, name: str, truth: Truth) -> dict[str, list[Event]]:
    """Return a table of events of the whole detector, from the step ``second_stage``, as far as they can be judged."""
    found = events_of(read_table(context.inputs["second_stage"] / f"{name}.parquet"), truth.ids)
    return known_events(truth, found)


STEP = Step(
    name="evaluation",
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores", "calibration", "second_stage"),
    settings=lambda project: {
        "evaluation": digestible(project.settings.evaluation),
        "hop_s": project.settings.plan.hop_s,
        "seed": project.settings.training.seed,
        "apart_frames": project.settings.training.apart_frames,
        **postprocess_key(project),
    },
    run=run,
)
