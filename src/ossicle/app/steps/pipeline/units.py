"""The pipeline ``units``: from long recordings to acoustic units and the motifs in them."""

from collections.abc import Sequence

from ossicle.app.steps.acoustic_units import features, segments
from ossicle.app.steps.data import corpus
from ossicle.app.steps.engine.input_problems import Loss, losses
from ossicle.app.steps.pipeline.detector_inputs import missing_inputs
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline


def _losses(artefacts: Artefacts) -> Sequence[Loss]:
    made = artefacts.get(corpus.STEP.name)
    return () if made is None else losses(made)


PIPELINE = Pipeline(
    name="units",
    # Each owner adds a step here as it lands: quantiser, sequences, motifs, quality, report.
    steps=(corpus.STEP, segments.STEP, features.STEP),
    losses=_losses,
    missing_inputs=missing_inputs,
    front_end=lambda project: False,
    checked={corpus.STEP.name: "index", segments.STEP.name: "segments"},
)
