"""Step ``second_stage``: re-score candidates by their acoustic features, out of fold, for the headline's events.

Without a kind in ``[second_stage]`` the events of the step ``decision`` are passed on unchanged.

Out of fold means: everything that evaluates the recordings of a fold (trees, calibration, threshold) was fitted on the
candidates of the other folds, and all these candidates were found under the decision fitted on the other folds. So,
given the out-of-fold scores, no annotation of a fold shapes its events (invariant 2). The first-stage models behind
the scores of other folds did see these annotations, as they did for the decision. The second stage is kept if the
paired bootstrap over recordings and groups puts the gain in event F1 above zero. Otherwise it is only reported.
"""

import time
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ossicle.app.project.load import Project
from ossicle.app.steps.engine.step import Context, Step
from ossicle.app.steps.judge.hand_labels import hand_label_digests, hand_label_place
from ossicle.artefacts.filesystem.reading import MOST_ARTEFACT_BYTES, read_regular
from ossicle.artefacts.typed.dataset import DatasetFolder
from ossicle.artefacts.typed.events import DecisionFolder, Decisions, SecondStageFolder
from ossicle.artefacts.typed.index import CorpusFolder
from ossicle.artefacts.typed.scores import ScoresFolder
from ossicle.audio.decoding.mono import MonoStream
from ossicle.core.errors import UsageError
from ossicle.core.model_input.channel import MEAN
from ossicle.core.settings import digestible
from ossicle.core.tracks import ScoreTrack
from ossicle.metrics.matching.rules import IouMatch
from ossicle.metrics.reports.event_report import plain
from ossicle.training.second_stage.settings import NONE, SecondStageSettings

if TYPE_CHECKING:
    from ossicle.audio.features.event_features import EventFeatureSettings, Features
    from ossicle.evaluation.ground_truth import Truth
    from ossicle.inference.second_stage.candidates import Candidate
    from ossicle.inference.second_stage.stage import SecondStage
    from ossicle.metrics.resampling.bootstrap import Bootstrap
    from ossicle.training.second_stage.fold_fits import FoundCandidates, Judged

STEP_VERSION = 1


def run(context: Context) -> None:
    """Write the events of the whole detector and the verdict; with a kind also the model and its candidates."""
    from ossicle.evaluation.figures.paired_gain import gain
    from ossicle.evaluation.ground_truth import read_truth
    from ossicle.evaluation.hand_labels import read_hand_labels
    from ossicle.inference.second_stage.file import second_stage_bytes

    settings = context.project.settings
    truth = read_truth(context.read(CorpusFolder), context.read(DatasetFolder))
    decided, output = context.read(DecisionFolder), context.own(SecondStageFolder)
    first, first_in_sample = decided.events(truth.ids), decided.events_in_sample(truth.ids)
    if settings.second_stage.kind == NONE:
        output.write_events(first, first_in_sample)
        output.write_verdict({"kind": NONE, "kept": False})
        return
    # Needs scikit-learn, an optional extra, only with a second stage.
    from ossicle.training.second_stage.fold_fits import judge

    criterion = IouMatch(threshold=settings.evaluation.iou)
    chosen = feature_settings(context.project)
    labels_folder = hand_label_place(context.project)
    answers = (
        read_hand_labels(labels_folder, truth.recordings.values(), truth.labels) if labels_folder is not None else {}
    )
    candidates = gather(context, truth, chosen, decided.decisions)
    judged = judge(truth, candidates, chosen, settings.second_stage, criterion, settings.project.workers, answers)
    gained = gain(truth, first, judged.events, criterion, settings.evaluation.bootstrap, settings.evaluation.seed)
    is_kept = bool(gained.low[0] > 0)
    output.write_events(*((judged.events, judged.in_sample) if is_kept else (first, first_in_sample)))
    # Write both stages whichever is kept, so that users can inspect the other.
    output.write_both(judged.events, first)
    output.write_model(second_stage_bytes(judged.final))
    output.write_verdict(_verdict(settings.second_stage, truth, candidates[None], judged, gained, is_kept))


def kept_stage(second_stage: SecondStageFolder) -> "SecondStage | None":
    """Return the second stage for the bundle from this step's artefact; None if none was requested or kept."""
    from ossicle.inference.second_stage.file import read_second_stage

    if not second_stage.kept:
        return None
    return read_second_stage(read_regular(second_stage.model_file, MOST_ARTEFACT_BYTES), second_stage.model_file)


def feature_settings(project: Project) -> "EventFeatureSettings":
    """Return the settings of the features' spectrogram: rate, window, hop and band of the project's front end."""
    from ossicle.audio.features.event_features import EventFeatureSettings

    front, chosen = project.settings.frontend, project.settings.second_stage
    return EventFeatureSettings(
        rate=front.rate,
        n_fft=front.n_fft,
        hop_samples=front.hop_samples,
        fmin_hz=front.fmin_hz,
        fmax_hz=front.fmax_hz,
        surroundings_s=chosen.surroundings_s,
        longest_s=chosen.longest_s,
    )


def gather(
    context: Context, truth: "Truth", chosen: "EventFeatureSettings", decisions: Mapping[int | None, Decisions]
) -> "dict[int | None, dict[str, list[Candidate]]]":
    """Return the candidates of every recording under the decision of every fold and the final decision (key None).

    Each recording is read once.
    """
    share, channel = context.project.settings.second_stage.lower_on, context.project.settings.audio.name
    candidates_by_fold: dict[int | None, dict[str, list[Candidate]]] = {fold: {} for fold in decisions}
    for done, key in enumerate(truth.ids, start=1):
        began = time.monotonic()
        path = context.project.roots.file(truth.recordings[key])
        track = context.read(ScoresFolder).track(key)
        for fold, candidates in candidates_of(path, track, chosen, decisions, share, channel).items():
            candidates_by_fold[fold][key] = candidates
        context.log.work_unit("second_stage", key, "computed", time.monotonic() - began)
        context.progress.advance(done, len(truth.ids), "recordings")
    return candidates_by_fold


def candidates_of(
    path: Path,
    track: ScoreTrack,
    chosen: "EventFeatureSettings",
    decisions: Mapping[int | None, Decisions],
    share: float,
    channel: str = MEAN,
) -> "dict[int | None, list[Candidate]]":
    """Return the candidates of one recording under each of several decisions, reading its ``channel`` once.

    Folds with equal decisions share one list.
    """
    from ossicle.inference.second_stage.candidates import CandidateFold

    same: dict[int | None, int | None] = {}
    for fold in decisions:
        same[fold] = next((other for other in same if decisions[other] == decisions[fold]), fold)
    known: dict[tuple[int, int], Features] = {}
    folds = {
        representative: CandidateFold(track.labels, decisions[representative], track.hop_s, chosen, share, known)
        for representative in set(same.values())
    }
    candidates: dict[int | None, list[Candidate]] = {representative: [] for representative in folds}
    hop_samples, heard, n_fed = track.hop_s * chosen.rate, 0, 0
    for block in MonoStream(path, chosen.rate, channel=channel):
        heard += len(block)
        # Scores of the frames read completely so far, as a model emits them.
        whole = min(len(track.scores), int(heard / hop_samples))
        for representative, fold_of in folds.items():
            candidates[representative] += fold_of.feed(block, np.asarray(track.scores[n_fed:whole]))
        n_fed = whole
    for representative, fold_of in folds.items():
        candidates[representative] += fold_of.feed(np.zeros(0, dtype=np.float32), np.asarray(track.scores[n_fed:]))
        candidates[representative] += fold_of.finish(track.duration_s)
    return {fold: candidates[representative] for fold, representative in same.items()}


def _verdict(
    settings: SecondStageSettings,
    truth: "Truth",
    final: "FoundCandidates",
    judged: "Judged",
    gained: "Bootstrap",
    is_kept: bool,
) -> dict[str, Any]:
    figures = {
        name: {"value": plain(gained.value[index]), "low": plain(gained.low[index]), "high": plain(gained.high[index])}
        for index, name in enumerate(("gain", "first_stage", "both_stages"))
    }
    return {
        "kind": settings.kind,
        "kept": is_kept,
        "fitted_with": f"scikit-learn {_fitted_by()}",
        "event_f1": figures,
        "protocol": "cross-fitted; paired bootstrap, kept where the interval of the gain lies above zero",
        "bootstrap": {"method": gained.method, "n": gained.n, "groups": gained.n_groups},
        "few_groups": gained.few_groups,
        "candidates": {
            "decided": sum(
                candidate.decided for recording_candidates in final.values() for candidate in recording_candidates
            ),
            "below_the_threshold": sum(
                not candidate.decided for recording_candidates in final.values() for candidate in recording_candidates
            ),
        },
        "thresholds": {
            "final": _thresholds(judged.final),
            "per_fold": {str(fold): _thresholds(stage) for fold, stage in judged.per_fold.items()},
        },
        "weights": {
            label: label_stage.calibration.weights.round(6).tolist()
            for label, label_stage in judged.final.labels.items()
        },
        "notes": list(judged.notes),
    }


def _thresholds(stage: "SecondStage") -> dict[str, float]:
    return {label: label_stage.threshold for label, label_stage in stage.labels.items()}


def _settings(project: Project) -> dict[str, Any]:
    settings = project.settings
    if settings.second_stage.kind == NONE:
        return {"kind": NONE}
    return {
        "second_stage": digestible(settings.second_stage),
        "features": asdict(feature_settings(project)),
        "evaluation": {
            "iou": settings.evaluation.iou,
            "bootstrap": settings.evaluation.bootstrap,
            "seed": settings.evaluation.seed,
        },
        "scikit-learn": _fitted_by(),
    }


def _fitted_by() -> str:
    try:
        return version("scikit-learn")
    except PackageNotFoundError:
        raise UsageError(
            "[second_stage] kind: a second stage is fitted by scikit-learn, which is not installed; "
            "pip install 'ossicle[train]'"
        ) from None


STEP = Step(
    name=SecondStageFolder.step,
    version=STEP_VERSION,
    needs=("corpus", "dataset", "scores", "decision"),
    settings=_settings,
    run=run,
    extra=lambda project: {} if project.settings.second_stage.kind == NONE else hand_label_digests(project),
)
