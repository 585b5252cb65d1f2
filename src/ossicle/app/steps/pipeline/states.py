"""The pipeline ``states``: from recordings with steady sounds to a model of what is on, off or unknown."""

from collections.abc import Sequence

from ossicle.app.steps.data import corpus, features, state_dataset
from ossicle.app.steps.engine.input_problems import Loss, losses
from ossicle.app.steps.judge import state_decision, state_evaluation, state_noise_gate
from ossicle.app.steps.pipeline.bundle_inputs import made_from
from ossicle.app.steps.pipeline.comparison.states import FIGURES
from ossicle.app.steps.pipeline.detector_inputs import missing_inputs
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline, Published, RunSummary
from ossicle.app.steps.pipeline.preflight.states import states_preflight
from ossicle.app.steps.pipeline.preview.states import states_preview
from ossicle.app.steps.release import states_bundle, states_report
from ossicle.app.steps.score import state_scores
from ossicle.app.steps.train.heads import state_heads
from ossicle.artefacts.typed.results.published import BUNDLE, HEADS, METRICS, PAGE
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.states import HeadsFolder


def _losses(artefacts: Artefacts) -> Sequence[Loss]:
    corpus_path = artefacts.get(corpus.STEP.name)
    return () if corpus_path is None else losses(corpus_path)


def _summary(artefacts: Artefacts) -> RunSummary | None:
    """Return figures and report page of a finished run."""
    if state_evaluation.STEP.name not in artefacts:
        return None
    return RunSummary(METRICS, (), (BUNDLE, METRICS, PAGE, HEADS))


def _run_folders(artefacts: Artefacts) -> dict[str, RunFolder]:
    if state_heads.STEP.name not in artefacts:
        return {}
    heads = HeadsFolder.among(artefacts)
    return {name: heads.run(name) for name in heads.summary}


PIPELINE = Pipeline(
    name="states",
    steps=(
        corpus.STEP,
        state_dataset.STEP,
        features.STEP,
        state_heads.STEP,
        state_scores.STEP,
        state_decision.STEP,
        state_evaluation.STEP,
        state_noise_gate.STEP,
        states_bundle.STEP,
        states_report.STEP,
    ),
    published=(
        Published(METRICS, (state_noise_gate.STEP.name, state_evaluation.STEP.name)),
        Published(BUNDLE, (states_bundle.STEP.name,), made_from(state_dataset.STEP.name, state_heads.STEP.name)),
        Published(PAGE, (states_report.STEP.name,)),
        Published(HEADS, (state_heads.STEP.name,)),
    ),
    summary=_summary,
    adapt=features.with_features,
    losses=_losses,
    preflight=states_preflight,
    preview=states_preview,
    missing_inputs=missing_inputs,
    trained_by=state_heads.STEP.name,
    run_folders=_run_folders,
    pulled={"scores": state_scores.STEP.name, "checkpoints": state_heads.STEP.name},
    leaderboard=FIGURES,
    front_end=lambda project: False,
    checked={corpus.STEP.name: "index", state_dataset.STEP.name: "dataset"},
)
