"""Step ``noise_gate`` of a pipeline for states: what the final model says about noise; it refuses nothing."""

from ossicle.app.steps.engine.encoders import open_features_encoder
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.score.state_plan import state_plan
from ossicle.app.steps.train.heads.fitted_heads import FittedHeads
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.judged import NoiseGateFolder
from ossicle.artefacts.typed.shards.features import FeaturesFolder
from ossicle.artefacts.typed.states import HeadsFolder, StateDecisionFolder, StateEvaluationFolder
from ossicle.core.settings import digestible
from ossicle.corpus.synthetic.noise_probes import synthetic_probes
from ossicle.evaluation.states.judging_rule import judging_rule
from ossicle.evaluation.states.noise_report import noise_sentences, states_in_noise
from ossicle.inference.predictor import Predictor

STEP_VERSION = 1


def run(context: Context) -> None:
    """Write the figures of the evaluation, with what the final model says about synthetic probes."""
    # Torch is an optional extra, needed only for actual scoring.
    from ossicle.bundle.runtimes.encoded_predictor import EncodedPredictor
    from ossicle.bundle.runtimes.levelled_predictor import LevelledPredictor
    from ossicle.models.heads.scoring import window_scores
    from ossicle.models.predictor import use_threads

    project, settings = context.project, context.project.settings
    use_threads(settings.training.threads)
    features, labels = context.read(FeaturesFolder), context.read(DatasetFolder).labels
    blocks = settings.head.unfreeze_blocks
    encoder = open_features_encoder(settings.encoder.opened, project.folder, blocks, settings.training.threads)
    heads = FittedHeads(project, features, context.read(HeadsFolder), len(labels))
    plan, level = state_plan(project, features.spec), heads.level(FINAL)
    score = window_scores(heads.on_features(FINAL))
    predictor: Predictor = EncodedPredictor(labels, plan, encoder, score)
    if level is not None:
        predictor = LevelledPredictor(labels, plan, encoder, score, level, settings.head.level)
    decision = judging_rule(context.read(StateDecisionFolder).written).decision
    rows = []
    for done, probe in enumerate(synthetic_probes(plan.rate, settings.noise_gate.probe_s, settings.noise_gate.seed)):
        context.progress.advance(done, done + 1, f"{probe.name}, {probe.part}")
        noise_states = states_in_noise(probe.name, probe.part, probe.samples, predictor, decision)
        rows += [noise_states.to_json() for noise_states in noise_states]
    report = {"refuses": False, "sentences": list(noise_sentences(rows)), "states": rows}
    context.own(NoiseGateFolder).write_metrics({**context.read(StateEvaluationFolder).metrics, "noise_gate": report})


STEP = Step(
    name=NoiseGateFolder.step,
    version=STEP_VERSION,
    needs=("dataset", "features", "heads", "state_decision", "state_evaluation"),
    settings=lambda project: {
        "probe_s": project.settings.noise_gate.probe_s,
        "seed": project.settings.noise_gate.seed,
        "head": digestible(project.settings.head),
        "features": [project.settings.features.window_s, project.settings.features.hop_s],
        "threads": project.settings.training.threads,
        **digestible(project.settings.audio),
    },
    run=run,
)
