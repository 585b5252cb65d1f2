"""The pipeline ``states``: from recordings with steady sounds to a model of what is on, off or unknown."""

from collections.abc import Sequence

from ossicle.app.steps.data import corpus, features, state_dataset
from ossicle.app.steps.engine.input_problems import Loss, losses
from ossicle.app.steps.pipeline.detector_inputs import missing_inputs
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline
from ossicle.app.steps.pipeline.states_preflight import states_preflight
from ossicle.app.steps.pipeline.states_preview import states_preview
from ossicle.app.steps.score import state_scores
from ossicle.app.steps.train import heads


def _losses(artefacts: Artefacts) -> Sequence[Loss]:
    made = artefacts.get(corpus.STEP.name)
    return () if made is None else losses(made)


PIPELINE = Pipeline(
    name="states",
    steps=(corpus.STEP, state_dataset.STEP, features.STEP, heads.STEP, state_scores.STEP),
    adapt=features.with_features,
    losses=_losses,
    preflight=states_preflight,
    preview=states_preview,
    missing_inputs=missing_inputs,
    checked={corpus.STEP.name: "index", state_dataset.STEP.name: "dataset"},
)
