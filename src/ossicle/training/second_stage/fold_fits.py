"""Fit the second stage on a project's candidates, for every held-out fold and for the bundle, and measure its gain."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ossicle.audio.features.event_features import EventFeatureSettings
from ossicle.core.intervals import as_intervals
from ossicle.core.tracks import Event
from ossicle.evaluation.ground_truth import Truth
from ossicle.evaluation.hand_labels import HandLabels
from ossicle.inference.second_stage.candidates import CANDIDATE_FEATURES, Candidate
from ossicle.inference.second_stage.stage import LabelStage, SecondStage
from ossicle.metrics.matching.rules import Criterion, match
from ossicle.training.second_stage.label_fits import LEAST_EACH, Material, fit_label, matched
from ossicle.training.second_stage.settings import SecondStageSettings

FoundCandidates = Mapping[str, Sequence[Candidate]]
"""Recording id to its candidates."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Results of the second stage on the corpus: out-of-fold events, in-sample events, and the stage for the bundle.

    ``per_fold``: fold to the stage that scored it; ``notes``: labels without a second stage.
    """

    events: dict[str, list[Event]]
    in_sample: dict[str, list[Event]]
    final: SecondStage
    per_fold: Mapping[int, SecondStage]
    notes: tuple[str, ...]


def judge(
    truth: Truth,
    candidates: Mapping[int | None, FoundCandidates],
    chosen: EventFeatureSettings,
    settings: SecondStageSettings,
    criterion: Criterion,
    workers: int = 1,
    answers: HandLabels | None = None,
) -> Judged:
    """Fit the second stage for every held-out fold on the others, and for the bundle on all; apply each.

    ``candidates``: fold (None: final) to recording to the candidates under that fold's decision; ``answers``: hand
    labels of events by recording.
    """
    per_fold: dict[int, SecondStage] = {}
    events: dict[str, list[Event]] = {}
    notes: list[str] = []
    for fold in sorted(set(truth.folds.values())):
        others = [key for key in truth.ids if truth.folds[key] != fold]
        stage, left = fit(
            truth, candidates[fold], others, chosen, settings, criterion, f"fold {fold}", workers, answers
        )
        notes += left
        per_fold[fold] = stage
        events.update({key: stage.judge(list(candidates[fold][key])) for key in truth.ids if truth.folds[key] == fold})
    final, left = fit(truth, candidates[None], truth.ids, chosen, settings, criterion, "final", workers, answers)
    in_sample = {key: final.judge(list(candidates[None][key])) for key in truth.ids}
    return Judged({key: events[key] for key in truth.ids}, in_sample, final, per_fold, (*notes, *left))


def fit(
    truth: Truth,
    candidates: FoundCandidates,
    ids: Sequence[str],
    chosen: EventFeatureSettings,
    settings: SecondStageSettings,
    criterion: Criterion,
    name: str,
    workers: int = 1,
    answers: HandLabels | None = None,
) -> tuple[SecondStage, list[str]]:
    """Fit the second stage on the candidates of the recordings ``ids`` alone; return it, and notes on labels
    without one.
    """
    labels: dict[str, LabelStage] = {}
    notes = []
    for label in truth.labels:
        label_material = material(truth, candidates, ids, label, criterion, answers or {})
        stage = fit_label(label_material, criterion, settings, f"{name}, {label}", workers)
        if stage is None:
            notes.append(
                f"second stage, {name}: {label} stays with the first stage: fewer than {LEAST_EACH} true or "
                f"{LEAST_EACH} false candidates outside a part of its groups"
            )
        else:
            labels[label] = stage
    return SecondStage(settings.kind, settings.lower_on, chosen, labels), notes


def material(
    truth: Truth, candidates: FoundCandidates, ids: Sequence[str], label: str, criterion: Criterion, answers: HandLabels
) -> Material:
    """Return the candidates of a label, compared with the annotations and the hand labels of these recordings."""
    inside = set(ids)
    references = {
        key: intervals.get(label, np.zeros((0, 2))) for key, intervals in truth.references.items() if key in inside
    }
    label_candidates = [
        (key, candidate) for key in ids for candidate in candidates[key] if candidate.event.label == label
    ]
    recordings = np.array([key for key, _ in label_candidates], dtype=np.str_)
    times = np.array(
        [(candidate.event.start_s, candidate.event.end_s) for _, candidate in label_candidates], dtype=np.float64
    ).reshape(-1, 2)
    features = np.array([candidate.features for _, candidate in label_candidates], dtype=np.float64).reshape(
        -1, len(CANDIDATE_FEATURES)
    )
    true = matched(recordings, times, references, criterion)
    for key in inside & set(answers):
        rows, hand_labels = np.flatnonzero(recordings == key), answers[key]
        for word, row in match(
            as_intervals([(hand_label.start_s, hand_label.end_s) for hand_label in hand_labels]), times[rows], criterion
        ):
            true[rows[row]] = hand_labels[word].true_for(label)
    return Material(recordings, times, features, true, references, {key: truth.groups[key] for key in ids})
