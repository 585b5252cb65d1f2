"""Results of ``ossicle ensemble``: figures next to those of its members and their mean, noise gate, and bundle."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.compare.ensemble import Ensembled, ensemble_steps, judge_ensemble
from ossicle.app.steps.compare.ensemble_members import Member, members_of
from ossicle.app.steps.compare.ensemble_scores import read_fits
from ossicle.app.steps.compare.leaderboard import Judged, board_of, judged_of
from ossicle.app.steps.engine.fingerprint_keys import postprocess_key
from ossicle.app.steps.engine.step import Context, Progress, Step, run_steps
from ossicle.app.steps.judge import noise_gate
from ossicle.app.steps.judge.calibration import final_maps
from ossicle.app.steps.release.bundle import figures, gate_verdict
from ossicle.artefacts.files import write_json
from ossicle.artefacts.filesystem.changes import make_folder
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.judged import CalibrationFolder, NoiseGateFolder
from ossicle.artefacts.typed.results.published import BUNDLE, EnsembleResults
from ossicle.artefacts.typed.results.recognised import refuse_other_file
from ossicle.artefacts.typed.scores import EnsembleScoresFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.bundle.description import BundleDescription
from ossicle.bundle.entries.ensembles import RANKS, rank_bytes
from ossicle.bundle.extend import refuse_other_content
from ossicle.bundle.format import Bundle, read_bundle, write_bundle
from ossicle.bundle.runtimes.onnx_runtime import OnnxPredictor
from ossicle.core.errors import GateRefused
from ossicle.core.scores.combination import Combination
from ossicle.core.settings import digestible
from ossicle.evaluation.gates.noise_gate import excused_probes, refusal_of
from ossicle.evaluation.ground_truth import read_evaluated_truth
from ossicle.inference.ensembles.ensemble import Ensemble, joint_plan
from ossicle.inference.ensembles.fit import Fit

RESULTS = "ensemble"
"""The folder of results in the project folder."""
STEP_VERSION = 2
_REMEDY = f"move it out of there: an ensemble writes its bundle to {RESULTS}/{BUNDLE}/ beside the project file"


@dataclass(frozen=True, slots=True)
class Made:
    """The result of an ensemble: ``summary`` is what ``--json`` prints, and ``places`` lists the written results.

    ``refused`` is the refusal of the noise gate, or None if the bundle passed.
    """

    summary: dict[str, Any]
    places: tuple[Path, ...]
    refused: GateRefused | None


def make_ensemble(
    project: Project, progress: Progress, overrides: Sequence[str] = (), *, with_bundle: bool = True
) -> Made:
    """Evaluate the project's ensemble and the plain mean of its members, run the noise gate, and write the results.

    A bundle that the noise gate refused is not written, and an earlier bundle stays unchanged.

    Parameters
    ----------
    project
        The project with an ``[ensemble]`` table.
    progress
        Where the steps report how far they are.
    overrides
        The ``--set`` options that the project was loaded with.
    with_bundle
        Whether to run the noise gate and make a bundle.
    """
    results = EnsembleResults(project.folder / RESULTS)
    # Before hours of scoring.
    _refuse_others(results)
    members = members_of(project, progress, overrides)
    combination = project.settings.ensemble.combination
    done = judge_ensemble(project, members, combination, progress)
    named: list[tuple[str, Ensembled]] = [(f"ensemble: {combination.rule}", done)]
    if combination != Combination():
        named.append(("ensemble: plain mean", judge_ensemble(project, members, Combination(), progress)))
    board = board_of([*_members(members), *(_judged_row(name, ensembled) for name, ensembled in named)]).to_json()
    metrics, refused = done.metrics, None
    if with_bundle:
        opened = {_folder(index, member): read_bundle(member.bundle) for index, member in enumerate(members)}
        metrics = _gated(project, members, done, opened, progress).metrics
        if not metrics["gate"]["passed"]:
            refused = refusal_of(metrics["gate"], None)
    results_json = {**EnsembleScoresFolder.among(done.artefacts).summary, "board": board}
    _refuse_others(results)
    with writing(project.data_root, (results.path, results.bundle, results.metrics, results.summary)):
        make_folder(results.path)
        write_json(results.summary, results_json)
        write_json(results.metrics, metrics)
        places = [results.summary, results.metrics]
        if with_bundle and refused is None:
            _write_bundle(results.bundle, project, done, opened, metrics)
            places.append(results.bundle)
    return Made(results_json, tuple(places), refused)


def _folder(index: int, member: Member) -> str:
    """Return the name of a member's folder in the bundle: the variant, or the bundle's name for the project itself."""
    member_name = member.project.variant or member.project.settings.project.name
    return f"{index + 1}-{member_name}"[:100]


def _members(members: Sequence[Member]) -> list[Judged]:
    results = [(member, judged_of(member.project)) for member in members]
    return [replace(judged, name=member.name) for member, judged in results if judged is not None]


def _judged_row(name: str, ensembled: Ensembled) -> Judged:
    return Judged(name, ensembled.project, ensembled.metrics, ensembled.artefacts, None, trained=False)


def _gated(
    project: Project, members: Sequence[Member], done: Ensembled, opened: dict[str, Bundle], progress: Progress
) -> NoiseGateFolder:
    """Run the noise gate on the synthetic probes with the members of the bundle, and return its artefact."""
    fit = read_fits(EnsembleScoresFolder.among(done.artefacts))[None]
    threads = project.settings.training.threads
    likeness = [TrainingFolder.among(member.artefacts).run(FINAL).noise_likeness for member in members]

    def run(context: Context) -> None:
        noise_gate.judge_detector(
            context,
            _predictor(opened, fit, threads),
            "the members' final models, final decision",
            excused_probes(likeness),
        )

    names = ("corpus", "dataset", "scores", "decision", "second_stage", "evaluation")
    step = Step(
        name=NoiseGateFolder.step,
        version=STEP_VERSION,
        needs=names,
        settings=lambda member_project: {
            "noise_gate": digestible(member_project.settings.noise_gate),
            "margin_s": member_project.settings.dataset.margin_s,
            "pool": member_project.settings.evaluation.applied_pool,
            "ensemble": {"how": asdict(fit.combination), "threads": threads, "resembles": excused_probes(likeness)},
            **postprocess_key(member_project),
        },
        run=run,
        extra=lambda member_project: {f"member {name}": _content(bundle) for name, bundle in opened.items()},
    )
    seed = project.settings.ensemble.seed
    with writing(project.data_root):
        steps = ensemble_steps(members, done.combination, seed)
        return NoiseGateFolder.among(run_steps((*steps, step), done.project, progress).artefacts)


def _predictor(opened: dict[str, Bundle], fit: Fit, threads: int) -> Ensemble:
    return Ensemble(
        [(name, OnnxPredictor(bundle, threads)) for name, bundle in opened.items()], fit.combination, fit.tables
    )


def _content(bundle: Bundle) -> str:
    """Return the digests of a bundle's files, which determine its scores."""
    return "+".join(f"{name}:{entry.sha256}" for name, entry in sorted(bundle.files.items()))


def _write_bundle(
    folder: Path, project: Project, done: Ensembled, opened: dict[str, Bundle], metrics: dict[str, Any]
) -> Bundle:
    settings, artefacts = done.project.settings, done.artefacts
    scores = EnsembleScoresFolder.among(artefacts)
    fit, truth = (
        read_fits(scores)[None],
        read_evaluated_truth(CorpusFolder.among(artefacts), DatasetFolder.among(artefacts)),
    )
    first = next(iter(opened.values()))
    widest = max(opened.values(), key=lambda bundle: bundle.plan.rate)
    labels = first.labels
    return write_bundle(
        folder,
        BundleDescription(
            name=f"{project.settings.project.name}-ensemble"[-100:].lstrip("-._"),
            labels=labels,
            plan=joint_plan([(name, bundle.plan) for name, bundle in opened.items()]),
            front=widest.front,
            decisions=DecisionFolder.among(artefacts).decisions[None],
            provenance={
                "ossicle": version("ossicle"),
                "members": {name: bundle.name for name, bundle in opened.items()},
                "fitted": scores.summary["protocol"],
                "recordings": len(truth.ids),
                "annotations": len(truth.annotations),
                "hours": round(sum(truth.durations_s.values()) / 3600, 6),
            },
            metrics={
                "figures": figures(metrics),
                "criterion": metrics["protocol"]["criterion"],
                **({"notes": metrics["notes"]} if metrics["notes"] else {}),
                **gate_verdict(metrics["gate"]),
                "out_of_fold": metrics,
            },
            split=first.split,
            pool=settings.evaluation.applied_pool,
            calibration=final_maps(CalibrationFolder.among(artefacts)),
            postprocess=settings.postprocess,
        ),
        files={} if fit.tables is None else {RANKS: rank_bytes(fit.tables)},
        members=opened,
        combination=fit.combination,
        replace=True,
    )


def _refuse_others(results: EnsembleResults) -> None:
    """Raise UsageError for files of the user in the place of results."""
    refuse_other_content(results.bundle, _REMEDY)
    for file in (results.summary, results.metrics):
        refuse_other_file(file, f"move it out of there: an ensemble writes to {RESULTS}/ beside the project file")
