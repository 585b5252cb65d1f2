"""Pseudo-labels: predictions of a project's own models for unlabelled recordings, saved as a round for its next
training.

Each model that held out a fold has its own view. Only this view may train the next model that holds out the same fold.
The view ``final`` is the mean of all these models, for the model that is trained on all recordings.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any

import numpy as np

from ossicle.app.project.load import Project
from ossicle.app.project.places import writing
from ossicle.app.steps.data.unlabelled import INDEX, INDEX_NAME, audio_folder, group_field, teaching_rounds
from ossicle.app.steps.engine.step import Progress, find_steps, run_steps
from ossicle.app.steps.pipeline.pipelines import chosen_steps
from ossicle.app.steps.rounds.learners import Learners, learners
from ossicle.app.steps.score import pseudo_scores
from ossicle.app.steps.score.scores import refuse_leaky
from ossicle.app.steps.train import training
from ossicle.app.steps.train.pseudo_inputs import read_taught
from ossicle.artefacts.files import file_digest
from ossicle.artefacts.typed.dataset import FINAL, DatasetFolder
from ossicle.artefacts.typed.index import CorpusFolder, UnlabelledFolder
from ossicle.artefacts.typed.scores import PseudoScoresFolder
from ossicle.artefacts.typed.training import TrainingFolder
from ossicle.core.errors import UsageError
from ossicle.core.records import Recording
from ossicle.core.scores.combination import Combination
from ossicle.corpus.indexing.corpus_index import CorpusIndex
from ossicle.corpus.indexing.index_storage import read_index
from ossicle.corpus.pseudo_labels.rounds import (
    FOLDER,
    View,
    next_number,
    refuse_other_round,
    round_digest,
    round_path,
    write_round,
)
from ossicle.corpus.pseudo_labels.settings import NONE
from ossicle.corpus.pseudo_labels.windows import Kept, Labelled, Windows, all_of, gather, keep_windows, part_of, usable
from ossicle.inference.ensembles.combining import combine
from ossicle.training.batches.pseudo import split_recordings


@dataclass(frozen=True, slots=True)
class Made:
    """A new round: its folder, its description, the recordings that could not be used, by path, and who uses it."""

    path: Path
    about: Mapping[str, Any]
    left_out: Mapping[str, str]
    learners: Learners


def make_round(project: Project, progress: Progress, number: int | None = None, *, replace_it: bool = False) -> Made:
    """Label the unlabelled recordings with the models that the earlier rounds trained.

    Parameters
    ----------
    project
        The project with a ``[pseudo]`` table.
    progress
        Where the steps report how far they are.
    number
        The round to make, from 1; None makes the next one.
    replace_it
        Whether to overwrite an existing round.

    Returns
    -------
    Made
        The round, and what could not be used.

    Raises
    ------
    UsageError
        The models are not trained, the round exists, an earlier round is missing, or no window has enough confidence.
    SplitError
        The split is leaky.
    """
    refuse_leaky(project)
    folder = project.folder / FOLDER
    audio_folder(project)
    last = next_number(folder) - 1
    number = last + 1 if number is None else number
    if not 1 <= number <= last + 1:
        raise UsageError(f"--round {number}: rounds are made one after another; the next is {last + 1}")
    path = round_path(folder, number)
    if path.exists() and not replace_it:
        raise UsageError(
            f"{path} already exists; --force overwrites it, and models trained with it are then trained again"
        )
    refuse_other_round(path)
    before = _before_round(project, number)
    steps = chosen_steps(before, (training.STEP.name,))
    missing = [name for name, path in find_steps(steps, before).items() if path is None]
    if missing:
        until_note = (
            ""
            if before is project
            else f" --set pseudo.up_to={number - 1}"
            if number > 1
            else ' --set pseudo.rounds="none"'
        )
        raise UsageError(
            f"round {number} is made by models that {_taught_words(before)} taught, and the step {missing[0]} is not "
            f"done for them: ossicle run -p {quote(str(project.file))} --until training{until_note}"
        )
    with writing(project.data_root, (folder, path)):
        if all(step.name != INDEX_NAME for step in steps):
            steps = (*steps, INDEX)
        artefacts = run_steps((*steps, pseudo_scores.STEP), before, progress).artefacts
        views, about, left_out = _views(before, artefacts, number)
        write_round(path, views, about, replace=replace_it)
    return Made(
        path,
        about,
        left_out,
        learners(project, lambda project: path in teaching_rounds(project), partial(_stops, project)),
    )


def _stops(project: Project, other: Project) -> str:
    """Return why a training of ``other`` cannot use windows of ``project``; empty if it can."""
    own_plan, other_plan = project.settings.plan, other.settings.plan
    if own_plan.core_frames == other_plan.core_frames and abs(own_plan.hop_s - other_plan.hop_s) <= 1e-9:
        return ""
    return (
        f"its windows are {other_plan.core_frames} frames of {1000 * other_plan.hop_s:g} ms, those of the round "
        f"{own_plan.core_frames} of {1000 * own_plan.hop_s:g} ms"
    )


def _before_round(project: Project, number: int) -> Project:
    """Return the project as the rounds before ``number`` leave it."""
    pseudo = project.settings.pseudo
    earlier = replace(pseudo, rounds=NONE) if number == 1 else replace(pseudo, up_to=number - 1)
    return replace(project, settings=replace(project.settings, pseudo=earlier))


def _taught_words(project: Project) -> str:
    names = [path.name for path in teaching_rounds(project)]
    return f"labels and {' and '.join(names)}" if names else "labels alone"


def _views(
    project: Project, artefacts: Mapping[str, Path], number: int
) -> tuple[dict[str, View], dict[str, Any], dict[str, str]]:
    """Return the views of a round, its description, and the recordings that could not be used."""
    pseudo, dataset, training = project.settings.pseudo, DatasetFolder.among(artefacts), TrainingFolder.among(artefacts)
    names, corpus, scores = (
        dataset.holding_out,
        read_index(CorpusFolder.among(artefacts)),
        PseudoScoresFolder.among(artefacts),
    )
    unlabelled = read_index(UnlabelledFolder.among(artefacts))
    usable_recordings, unread = usable(unlabelled, corpus), scores.left_out
    part, group = (number - 1) % pseudo.parts, group_field(project)
    used = [
        recording
        for recording in usable_recordings.recordings
        if recording.path not in unread and part_of(recording, group, pseudo.parts) == part
    ]
    taught, heard = _taught(dataset, training, corpus)
    weights = {name: file_digest(training.run(name).weights) for name in names}
    views: dict[str, View] = {}
    window_notes: dict[str, Any] = {}
    for view, members in {**{name: (name,) for name in names}, FINAL: names}.items():
        heard_by_them = frozenset().union(*(heard[name] for name in members))
        windows, window_notes[view] = _windows(project, dataset.labels, scores, members, used, heard_by_them)
        views[view] = View({name: weights[name] for name in members}, windows, all_of(taught[name] for name in members))
    if not len(views[FINAL].windows):
        raise UsageError(
            f"none of {len(used)} unlabelled recordings has a window that reaches [pseudo] threshold = "
            f"{pseudo.threshold:g}: the highest score is {window_notes[FINAL]['highest']}; lower it, or train longer"
        )
    dropped = {**usable_recordings.dropped, **({"cannot be decoded": tuple(sorted(unread))} if unread else {})}
    about = _about(project, artefacts, dataset.labels, number) | {
        "recordings": {
            "labelled": len(used),
            "hours": round(sum(recording.duration_s for recording in used) / 3600, 6),
            "of_other_parts": len(usable_recordings.recordings) - len(used) - len(unread),
            "dropped": {reason: list(paths) for reason, paths in dropped.items()},
        },
        "windows": window_notes,
    }
    return (
        views,
        about,
        {
            **{left_out_recording.path: left_out_recording.reason for left_out_recording in unlabelled.left_out},
            **unread,
        },
    )


def _taught(
    dataset: DatasetFolder, training: TrainingFolder, corpus: CorpusIndex
) -> tuple[dict[str, Labelled], dict[str, frozenset[str]]]:
    """Return by model the labelled recordings behind its training, and the unlabelled recordings (ids) it was trained
    on.

    The labelled recordings include those that trained the models behind its pseudo-labels.
    """
    taught: dict[str, Labelled] = {}
    heard: dict[str, frozenset[str]] = {}
    for name in dataset.holding_out:
        itself, _ = split_recordings(dataset, corpus, dataset.models[name])
        heard[name], through = read_taught(training, name)
        taught[name] = all_of((itself, through))
    return taught, heard


def _windows(
    project: Project,
    labels: tuple[str, ...],
    scores: PseudoScoresFolder,
    members: Sequence[str],
    recordings: Sequence[Recording],
    heard: frozenset[str],
) -> tuple[Windows, dict[str, Any]]:
    """Return the windows that the mean of some models keeps, and the number of dropped windows by reason."""
    settings, pseudo = project.settings, project.settings.pseudo
    kept_windows: list[tuple[Recording, Kept, bool]] = []
    dropped: Counter[str] = Counter()
    highest = 0.0
    for recording in recordings:
        tracks = [scores.track(name, recording.id).scores for name in members]
        mean = combine(np.stack(tracks), Combination())
        windows_of_recording = keep_windows(
            mean, settings.plan.core_frames, pseudo.threshold, pseudo.floor, pseudo.most_per_file
        )
        kept_windows.append((recording, windows_of_recording, recording.id in heard))
        dropped.update(
            {"below the threshold": windows_of_recording.unsure, "beyond most_per_file": windows_of_recording.too_many}
        )
        highest = max(highest, float(mean.max(initial=0.0)))
    windows = gather(labels, kept_windows)
    return windows, {
        "kept": len(windows),
        "heard_before": int(windows.heard.sum()),
        "labels": windows.counts(),
        "dropped": dict(dropped),
        "highest": round(highest, 6),
    }


def _about(project: Project, artefacts: Mapping[str, Path], labels: tuple[str, ...], number: int) -> dict[str, Any]:
    """Return what a round was made from, and with which settings."""
    settings, pseudo = project.settings, project.settings.pseudo
    kinds = (DatasetFolder, TrainingFolder, UnlabelledFolder, PseudoScoresFolder)
    return {
        "number": number,
        "variant": project.variant,
        "labels": list(labels),
        "core_frames": settings.plan.core_frames,
        "hop_s": settings.plan.hop_s,
        "group": settings.split.group,
        "unlabelled_group": group_field(project),
        "settings": {name: getattr(pseudo, name) for name in ("threshold", "floor", "most_per_file", "parts")},
        "made_from": {kind.step: kind.among(artefacts).content for kind in kinds},
        "rounds": [{"round": path.name, "digest": round_digest(path)} for path in teaching_rounds(project)],
    }
