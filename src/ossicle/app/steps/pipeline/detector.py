"""The pipeline ``detector``: from recordings and annotations to an evaluated, gated and exported event detector."""

from collections.abc import Iterator, Sequence
from functools import partial

from ossicle.app.project.load import Project
from ossicle.app.steps.data import corpus, dataset, features, logmel, store, unlabelled
from ossicle.app.steps.engine.input_problems import Loss, losses
from ossicle.app.steps.engine.step import Step
from ossicle.app.steps.judge import calibration, decision, evaluation, noise_gate, second_stage
from ossicle.app.steps.judge.probe_gate import require_passed
from ossicle.app.steps.pipeline.bundle_inputs import made_from
from ossicle.app.steps.pipeline.comparison.detector import FIGURES
from ossicle.app.steps.pipeline.detector_inputs import missing_inputs
from ossicle.app.steps.pipeline.pipeline import Artefacts, Pipeline, Published, RefusingStep, RunSummary
from ossicle.app.steps.pipeline.preflight.detector import preflight
from ossicle.app.steps.pipeline.preview.detector import detector_preview
from ossicle.app.steps.release import bundle, head_bundle, report, unscored_bundle
from ossicle.app.steps.score import clip_scores, scores
from ossicle.app.steps.train import initial_weights, training
from ossicle.app.steps.train.heads import clip_heads
from ossicle.app.steps.train.mending import head_mending_command, mending_command
from ossicle.app.steps.train.pseudo_inputs import pseudo_in_words
from ossicle.artefacts.typed.clip_results import CLIPS
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.judged import NoiseGateFolder
from ossicle.artefacts.typed.results.published import BUNDLE, METRICS, PAGE
from ossicle.artefacts.typed.results.released import BundleFolder
from ossicle.artefacts.typed.run_folder import RunFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.core.errors import GateRefused
from ossicle.metrics.noise.gate_exceptions import gate_exceptions
from ossicle.models.model_kinds import LOG_MEL

BENCHMARK_TABLES = {"benchmark_scores": 15, "benchmark_evaluation": 20}
"""Tables of ``[jobs]`` for the tasks of ``ossicle benchmark``, and how many of these tasks run at a time."""


_OF_HEADS = ((store, features), (training, clip_heads), (bundle, head_bundle))
"""Steps of networks, and those that a project with an encoder has in their places."""


def _adapt(steps: tuple[Step, ...], project: Project) -> tuple[Step, ...]:
    """Return the steps of a project.

    A leaky split holds out no recording as a whole, so it has no evaluation steps: its bundle comes directly after the
    training and records this. If pseudo-labels are used, the unlabelled recordings come before the training. A head
    on an encoder is trained on features, and needs no store. A network may read kept spectrograms. Where clips are
    judged, each held-out hit is scored by itself. The weights of another variant come before a training that starts
    from them.
    """
    if not _front_end(project):
        heads = {step_module.STEP.name: other.STEP for step_module, other in _OF_HEADS}
        steps = features.with_features(tuple(heads.get(step.name, step) for step in steps), project)
    steps = logmel.cached_chain(steps, project, training.STEP.name)
    steps = initial_weights.started_chain(steps, project, training.STEP.name, _adapted, require_passed)
    steps = clip_scores.with_clips(steps, project, scores.STEP.name, (evaluation.STEP.name, report.STEP.name))
    if project.settings.split.kind.judges_recordings:
        return unlabelled.taught_chain(steps, project, training.STEP.name)
    before = [step.name for step in steps].index(scores.STEP.name)
    return (*steps[:before], unscored_bundle.STEP)


def _adapted(project: Project) -> tuple[Step, ...]:
    """Return the steps of another variant."""
    return PIPELINE.steps_of(project)


def _front_end(project: Project) -> bool:
    return project.settings.kind.reads == LOG_MEL


def _refusal(artefacts: Artefacts, project: Project | None) -> GateRefused | None:
    """Return why the noise gate refused the bundle of a run, and which command mends it."""
    bundle_path = BundleFolder.among(artefacts).bundle if BundleFolder.step in artefacts else None
    mend = None
    if project is not None and training.STEP.name in artefacts:
        trained = TrainingFolder.among(artefacts)
        mend = (
            partial(mending_command, project, trained)
            if _front_end(project)
            else partial(head_mending_command, project)
        )
    return noise_gate.refusal(NoiseGateFolder.among(artefacts), bundle_path, mend)


def _summary(artefacts: Artefacts) -> RunSummary | None:
    """Return figures and report page of a finished run; for a leaky split, what its bundle is."""
    if report.STEP.name in artefacts:
        exceptions = gate_exceptions(NoiseGateFolder.among(artefacts).metrics["gate"])
        remarks = tuple(f"noise gate, exception: {exception}" for exception in exceptions)
        return RunSummary(METRICS, remarks, (BUNDLE, METRICS, CLIPS, PAGE))
    if bundle.STEP.name not in artefacts:
        return None
    leaky = DatasetFolder.among(artefacts).split["leaky"]
    return RunSummary("", (f"{leaky}; the bundle was not evaluated",) if leaky else (), (BUNDLE,))


def _losses(artefacts: Artefacts) -> Sequence[Loss]:
    corpus_path = artefacts.get(corpus.STEP.name)
    return () if corpus_path is None else losses(corpus_path)


def _status_notes(artefacts: Artefacts) -> Iterator[str]:
    trained = artefacts.get(training.STEP.name)
    if trained is not None and (pseudo_note := pseudo_in_words(TrainingFolder(trained))):
        yield pseudo_note


def _run_folders(artefacts: Artefacts) -> dict[str, RunFolder]:
    if training.STEP.name not in artefacts:
        return {}
    trainings = TrainingFolder.among(artefacts)
    # The file sorts its keys, and the final model comes last.
    names = sorted(trainings.summary["held_out"], key=lambda name: (not trainings.summary["held_out"][name], name))
    return {name: trainings.run(name) for name in names}


PIPELINE = Pipeline(
    name="detector",
    steps=(
        corpus.STEP,
        dataset.STEP,
        store.STEP,
        training.STEP,
        scores.STEP,
        decision.STEP,
        calibration.STEP,
        second_stage.STEP,
        evaluation.STEP,
        noise_gate.STEP,
        bundle.STEP,
        report.STEP,
    ),
    former_steps={"gate": noise_gate.STEP.name},
    adapt=_adapt,
    refuse_missing=lambda project, name: scores.refuse_leaky(project),
    published=(
        Published(METRICS, (noise_gate.STEP.name, evaluation.STEP.name)),
        Published(CLIPS, (evaluation.STEP.name,), optional=True),
        Published(BUNDLE, (bundle.STEP.name,), made_from(dataset.STEP.name, training.STEP.name)),
        Published(PAGE, (report.STEP.name,)),
    ),
    refusing=RefusingStep(noise_gate.STEP.name, _refusal, withheld=(BUNDLE,)),
    summary=_summary,
    losses=_losses,
    status_notes=_status_notes,
    preflight=preflight,
    preview=detector_preview,
    missing_inputs=missing_inputs,
    checked={corpus.STEP.name: "index", dataset.STEP.name: "dataset"},
    trained_by=training.STEP.name,
    run_folders=_run_folders,
    pulled={"scores": scores.STEP.name, "checkpoints": training.STEP.name},
    job_tables=BENCHMARK_TABLES,
    leaderboard=FIGURES,
    front_end=_front_end,
)
